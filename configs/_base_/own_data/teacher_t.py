"""SegFormer-T, for a CPU, on a folder of one's own: a teacher."""

from mmengine.config import read_base

with read_base():
    from ..default_runtime import *
    from ..models.segformer_t import *
    from ..schedules.adamw_600 import *
    from .common_own_data import *
