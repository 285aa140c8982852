"""Hooks, loop and optimizer wrapper for mmengine's Runner; importing registers them."""

from ..datasets import transforms  # noqa: F401  registers them
from .checkpoint_hook import AtomicCheckpointHook
from .distillation_hook import DistillationHook
from .distributed import CPUSyncBatchNorm
from .finite_loss_hook import FiniteLossHook
from .freeze_hook import FreezeHook
from .optim_wrapper import BFloat16OptimWrapper
from .optimizer_groups import MergedOptimWrapperConstructor
from .train_loop import ResumableEpochTrainLoop, ResumableTrainLoop
from .varying_sizes_hook import VaryingSizesHook
from .warmup_poly_lr import WarmupPolyLR

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'CPUSyncBatchNorm',
    'DistillationHook',
    'FiniteLossHook',
    'FreezeHook',
    'MergedOptimWrapperConstructor',
    'ResumableEpochTrainLoop',
    'ResumableTrainLoop',
    'VaryingSizesHook',
    'WarmupPolyLR',
]
