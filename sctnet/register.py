"""Registers everything of sctnet with mmengine, for configs that name types as strings.

``custom_imports = dict(imports=['sctnet.register'])`` in such a config is all it needs.
New-style configs name classes, which import what they need themselves.
"""

from . import engine, models
from .datasets import camvid, folder_dataset, store, transforms
from .evaluation import label_maps, report_metric

__all__ = [
    'camvid',
    'engine',
    'folder_dataset',
    'label_maps',
    'models',
    'report_metric',
    'store',
    'transforms',
]
