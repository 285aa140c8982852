"""A few minutes on a CPU: AdamW, 600 iterations, warm-up and poly decay."""

from mmengine.config import read_base

with read_base():
    from .adamw_160k import *

optim_wrapper.update(optimizer=dict(lr=1e-3))
optim_wrapper['paramwise_cfg'] = None
param_scheduler = [dict(type=WarmupPolyLR, by_epoch=False, warmup_iters=50)]
train_cfg.update(max_iters=600, val_interval=200)
