"""Registers everything of sctnet with mmengine, for configs that name types as strings.

``custom_imports = dict(imports=['sctnet.register'])`` in such a config is all it needs.
New-style configs name classes, which import what they need themselves.
"""

from . import engine, models
from .datasets import folder_dataset, store, transforms
from .evaluation import report_metric

__all__ = ['engine', 'folder_dataset', 'models', 'report_metric', 'store', 'transforms']
