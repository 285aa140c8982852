"""SCTNet-T on street scenes, with Cityscapes' seven categories and no teacher."""

from mmengine.config import read_base
from mmseg.datasets import BaseSegDataset

with read_base():
    from sctnet.configs.sctnet.sctnet_t_1xb4_600_streets_128x256 import *

classes = ('flat', 'construction', 'object', 'nature', 'sky', 'human', 'vehicle')
palette = [
    *([128, 64, 128], [70, 70, 70], [220, 220, 0], [107, 142, 35]),
    *([70, 130, 180], [220, 20, 60], [0, 0, 142]),
]
categories = dict(
    type=BaseSegDataset,
    metainfo=dict(classes=classes, palette=palette),
    img_suffix='_leftImg8bit.png',
    seg_map_suffix='_gtFine_categories.png',  # run.py writes them
)
model.update(
    siam=None,
    decode_head=dict(num_classes=len(classes)),
    auxiliary_head=dict(num_classes=len(classes)),
)
train_dataloader.update(dataset=categories)
val_dataloader.update(dataset=categories)
test_dataloader = val_dataloader
