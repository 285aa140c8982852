"""SegFormer's own recipe: AdamW, poly decay times a linear warm-up."""

from mmengine.optim import OptimWrapper
from mmengine.runner import TestLoop, ValLoop
from torch.optim import AdamW

from sctnet.engine import (
    MergedOptimWrapperConstructor,
    ResumableTrainLoop,
    WarmupPolyLR,
)

optim_wrapper = dict(
    type=OptimWrapper,
    optimizer=dict(
        type=AdamW, lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01, fused=True
    ),
    constructor=MergedOptimWrapperConstructor,
    paramwise_cfg=dict(
        custom_keys={'norm': dict(decay_mult=0.0), 'head': dict(lr_mult=10.0)}
    ),
)
# As long as the training: train_cfg.max_iters.
param_scheduler = [dict(type=WarmupPolyLR, by_epoch=False)]
train_cfg = dict(type=ResumableTrainLoop, max_iters=160000, val_interval=16000)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
