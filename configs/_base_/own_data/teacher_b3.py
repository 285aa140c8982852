"""SegFormer-B3 on a folder of one's own: a teacher."""

from mmengine.config import read_base

with read_base():
    from ..default_runtime import *
    from ..models.segformer_b3 import *
    from ..schedules.segformer_160k import *
    from .common_own_data import *
