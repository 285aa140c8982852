"""Decoded images and label maps on the disk, to train from; importing registers."""

from .index import Store
from .loading import LoadAnnotationsFromStore, LoadImageFromStore

__all__ = ['LoadAnnotationsFromStore', 'LoadImageFromStore', 'Store']
