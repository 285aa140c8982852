"""Stops cuDNN from tuning for every size of a data set's images."""

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor


@HOOKS.register_module()
class VaryingSizesHook(Hook):
    """Switches ``env_cfg.cudnn_benchmark`` off while tested images vary in size.

    With it cuDNN tries its algorithms at each size that it meets first. That pays in
    training, whose crops are alike, and where all images of a test are. Where they are
    not, as in ADE20K, nearly every image would wait for a search of its own. The first
    second size ends it, and the end of the validation or test brings it back.
    """

    def __init__(self) -> None:
        self._sizes: set[tuple[int, ...]] = set()
        self._benchmark = False

    def _start(self) -> None:
        self._sizes = set()
        self._benchmark = torch.backends.cudnn.benchmark

    def before_val_epoch(self, runner: Runner) -> None:
        """Remember what is set."""
        self._start()

    def before_test_epoch(self, runner: Runner) -> None:
        """Remember what is set."""
        self._start()

    def before_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Look at the size of the images."""
        self._look_at(data_batch)

    def before_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Look at the size of the images."""
        self._look_at(data_batch)

    def after_val_epoch(self, runner: Runner, metrics: Any = None) -> None:
        """Set again what was set before."""
        torch.backends.cudnn.benchmark = self._benchmark

    def after_test_epoch(self, runner: Runner, metrics: Any = None) -> None:
        """Set again what was set before."""
        torch.backends.cudnn.benchmark = self._benchmark

    def _look_at(self, data_batch: Any) -> None:
        if isinstance(data_batch, dict):
            self._sizes |= _sizes(data_batch.get('inputs'))
        if len(self._sizes) > 1:
            torch.backends.cudnn.benchmark = False


def _sizes(images: Any) -> set[tuple[int, ...]]:
    """Heights and widths of a tensor, or of all in a list, however deep."""
    if isinstance(images, Tensor):
        return {tuple(images.shape[-2:])}
    if isinstance(images, list | tuple):
        return set().union(*map(_sizes, images))
    return set()
