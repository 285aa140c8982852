"""Transforms of a training's images and label maps; importing registers them."""

from .any_bands import LoadBands, PhotometricDistortion
from .resize_crop import RandomResizeCrop

__all__ = ['LoadBands', 'PhotometricDistortion', 'RandomResizeCrop']
