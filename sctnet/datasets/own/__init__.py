"""Training on a folder of one's own: its data set, and ``own_data`` in a config."""

from .dataset import FolderDataset
from .settings import apply_own_data

__all__ = ['FolderDataset', 'apply_own_data']
