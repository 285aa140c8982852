"""Synthetic street scenes with Cityscapes' 19 train classes, drawn with numpy and cv2.

They stand in for the real Cityscapes in demos and tests.
"""

from .dataset import render_street_scene, write_street_scenes

__all__ = ['render_street_scene', 'write_street_scenes']
