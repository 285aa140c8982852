"""SCTNet-S's backbone on ImageNet-1k: 100 epochs, eight GPUs with 128 images each."""

from mmengine.config import read_base

with read_base():
    from ._base_.default_runtime import *
    from ._base_.imagenet_224x224 import *
    from ._base_.sctnet_s import *
    from ._base_.sgd_100e import *
