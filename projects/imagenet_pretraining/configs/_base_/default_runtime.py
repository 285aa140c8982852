"""Hooks, logging and environment."""

from mmengine.hooks import (
    DistSamplerSeedHook,
    IterTimerHook,
    LoggerHook,
    ParamSchedulerHook,
)
from mmengine.runner import LogProcessor
from mmengine.visualization import LocalVisBackend, Visualizer

from sctnet.engine import AtomicCheckpointHook, FiniteLossHook

default_scope = 'mmpretrain'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
default_hooks = dict(
    timer=dict(type=IterTimerHook),
    logger=dict(type=LoggerHook, interval=100, log_metric_by_epoch=False),
    param_scheduler=dict(type=ParamSchedulerHook),
    checkpoint=dict(
        type=AtomicCheckpointHook,
        by_epoch=False,
        interval=1251,
        save_best='accuracy/top1',
        rule='greater',
        max_keep_ckpts=3,
    ),
    finite_loss=dict(type=FiniteLossHook),
    sampler_seed=dict(type=DistSamplerSeedHook),
)
visualizer = dict(
    type=Visualizer, vis_backends=[dict(type=LocalVisBackend)], name='visualizer'
)
log_processor = dict(type=LogProcessor, by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
