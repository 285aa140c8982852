"""The Cityscapes variant: other rates, a floor under them, all norms decayed."""

from mmengine.config import read_base

with read_base():
    from .adamw_160k import *

optim_wrapper.update(optimizer=dict(lr=4e-4, weight_decay=0.0125))
optim_wrapper['paramwise_cfg'] = dict(
    custom_keys={'head': dict(lr_mult=10.0), 'siam': dict(lr_mult=10.0)}
)
param_scheduler[0].update(eta_min=1e-6)
