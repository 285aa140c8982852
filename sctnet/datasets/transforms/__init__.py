"""Transforms of a training's images and label maps; importing registers them."""

from .resize_crop import RandomResizeCrop

__all__ = ['RandomResizeCrop']
