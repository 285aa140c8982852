"""A folder of images and label maps, and the recipe that trains on it."""

from .dataset import FolderDataset
from .settings import apply_own_data

__all__ = ['FolderDataset', 'apply_own_data']
