"""Hooks, logging, visualizer and environment, the same for every experiment."""

from mmengine.hooks import (
    DistSamplerSeedHook,
    IterTimerHook,
    LoggerHook,
    ParamSchedulerHook,
)
from mmengine.runner import LogProcessor
from mmengine.visualization import LocalVisBackend
from mmseg.engine.hooks import SegVisualizationHook
from mmseg.models.segmentors import SegTTAModel
from mmseg.visualization import SegLocalVisualizer

from sctnet.engine import AtomicCheckpointHook, FiniteLossHook, VaryingSizesHook

default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl', timeout=600),  # seconds, for a process that hangs
)
default_hooks = dict(
    timer=dict(type=IterTimerHook),
    logger=dict(type=LoggerHook, interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type=ParamSchedulerHook),
    checkpoint=dict(
        type=AtomicCheckpointHook,
        by_epoch=False,
        interval=16000,
        save_best='mIoU',
        max_keep_ckpts=3,
    ),
    finite_loss=dict(type=FiniteLossHook),
    varying_sizes=dict(type=VaryingSizesHook),
    sampler_seed=dict(type=DistSamplerSeedHook),
    visualization=dict(type=SegVisualizationHook),
)
vis_backends = [dict(type=LocalVisBackend)]
visualizer = dict(type=SegLocalVisualizer, vis_backends=vis_backends, name='visualizer')
tta_model = dict(type=SegTTAModel)
log_processor = dict(type=LogProcessor, by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
