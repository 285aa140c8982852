"""Training loops whose every iteration depends on its number alone.

What is random in iteration i (which images, how they are augmented, which paths are
dropped) is drawn from python's, numpy's and torch's generators, seeded anew by the seed
of the run, the process and i. A run that was killed and resumed therefore repeats,
bit for bit, what it would have done, with nothing but the seed in its checkpoint, and
skips what it has seen without loading it. Transforms that keep a generator of their own
are outside of this.
"""

from itertools import islice
from typing import Any

from mmengine.dist import get_rank
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmengine.runner.loops import _InfiniteDataloaderIterator
from mmseg.registry import LOOPS
from torch import nn
from torch.utils.data import DataLoader

from ..errors import ConfigError
from .batch_size import note_batch_size
from .broken_files import BrokenFiles
from .epochs import check_epoch, check_resumed, finite, warn_of_accumulation
from .label_range import learnt_labels
from .numbered_sampler import NumberedSampler
from .runner import without_workers
from .seeded_dataset import MODEL, seed_everything, seeded
from .stacking import stacking


def _common_seed(runner: Runner) -> int:
    """The seed that all processes share, also where each adds its rank."""
    apart = runner._randomness_cfg.get('diff_rank_seed', False)
    return runner.seed - get_rank() if apart else runner.seed


class _ResumableLoop(BaseLoop):
    """What both loops share: the loader, and what comes before each iteration."""

    def __init__(
        self,
        runner: Runner,
        dataloader: dict | DataLoader,
        *args: Any,
        max_broken_share: float = 0.05,
        **kwargs: Any,
    ) -> None:
        self._broken_files = BrokenFiles(runner, max_broken_share)
        self._config = dataloader if isinstance(dataloader, dict) else None
        self._sampler: NumberedSampler | None = None
        if self._config is not None:
            dataloader = self._build_dataloader(runner, start=0)
        super().__init__(runner, dataloader, *args, **kwargs)

    def _build_dataloader(self, runner: Runner, start: int) -> DataLoader:
        config = without_workers(stacking(self._config or {}, runner.model))
        seed, self._batch_size = _common_seed(runner), config['batch_size']

        def numbered(**options: Any) -> NumberedSampler:
            self._sampler = NumberedSampler(**options)
            return self._sampler

        config['sampler'] = {
            'type': numbered,
            'sampler': config['sampler'],
            'start': start * self._batch_size,
        }
        labels = learnt_labels(runner.model)
        config = seeded(config, seed=seed, skip_broken=True, labels=labels)
        return runner.build_dataloader(config, seed=seed)

    def _prepare(self, data_batch: Any) -> None:
        self._broken_files.look_at(data_batch)
        seed_everything(_common_seed(self.runner), MODEL, get_rank(), self._iter)


@LOOPS.register_module()
class ResumableTrainLoop(_ResumableLoop, IterBasedTrainLoop):
    """mmengine's iteration-based loop, exactly resumable.

    Takes the same arguments, and one more. A ``dataloader`` that is built already, not
    a config, is used as it is, and then only the model's randomness resumes exactly. A
    ``batch_sampler`` resumes exactly if all its batches have ``batch_size`` samples.

    Args:
        runner: as for mmengine's loop.
        dataloader: as for mmengine's loop.
        *args: as for mmengine's loop.
        max_broken_share: of the training files, 0 to 1, that may be broken: they are
            skipped and named in the log; more of them stop the run.
        **kwargs: as for mmengine's loop.
    """

    def run(self) -> nn.Module:
        """Train from the current iteration to the last, validating in between."""
        warn_of_accumulation(self.runner, self._max_iters)
        if self._sampler is not None:
            note_batch_size(self.runner, self._batch_size)
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        if self._iter > 0 and self._config is not None:
            # Also because the checkpoint has brought its own seed.
            self.dataloader = self._build_dataloader(self.runner, self._iter)
            self.dataloader_iterator = _InfiniteDataloaderIterator(self.dataloader)
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            data_batch = next(self.dataloader_iterator)
            self._prepare(data_batch)
            self.run_iter(data_batch)
            self._decide_current_val_interval()
            if self._validates_now():
                self.runner.val_loop.run()
        self._broken_files.summarise()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _validates_now(self) -> bool:
        due = self._iter % self.val_interval == 0 or self._iter == self._max_iters
        return self.runner.val_loop is not None and self._iter >= self.val_begin and due


@LOOPS.register_module()
class ResumableEpochTrainLoop(_ResumableLoop, EpochBasedTrainLoop):
    """mmengine's epoch-based loop, exactly resumable after any iteration.

    Takes the same arguments, and ``max_broken_share`` of :class:`ResumableTrainLoop`.
    An epoch shows every image once, in an order that follows from its number. In the
    place of an ``InfiniteSampler``, which has no epochs, a ``DefaultSampler`` is taken.

    Raises:
        ConfigError: an epoch has no batch, or no end; or, in :meth:`run`, the
            checkpoint's epochs were of another length.
    """

    def _build_dataloader(self, runner: Runner, start: int) -> DataLoader:
        config = self._config or {}
        self._config = {**config, 'sampler': finite(config['sampler'])}
        dataloader = super()._build_dataloader(runner, start)
        if self._sampler is not None:
            self._sampler.begin_epoch(0, 0)  # it has an end, also for who looks before
            check_epoch(dataloader, self._sampler)
        return dataloader

    def run(self) -> nn.Module:
        """Train from the current iteration to the last, validating between epochs."""
        if self._iter > 0 and self._config is not None:
            # Also because the checkpoint has brought its own seed.
            self.dataloader = self._build_dataloader(self.runner, start=0)
        length = len(self.dataloader)
        warn_of_accumulation(self.runner, length)
        check_resumed(self.runner.message_hub, length, self._epoch, self._iter)
        model = super().run()
        self._broken_files.summarise()
        return model

    def run_epoch(self) -> None:
        """Train for what is left of the current epoch: nothing, where it was ended."""
        length = len(self.dataloader)
        seen = self._iter - self._epoch * length
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        skip = seen
        if self._sampler is not None:  # else the loader was built elsewhere
            self._sampler.begin_epoch(self._epoch, seen * self._batch_size)
            skip = 0
        for data_batch in islice(self.dataloader, skip, None):
            self._prepare(data_batch)
            self.run_iter(seen, data_batch)
            seen += 1
        if seen != length:
            raise ConfigError(
                f'an epoch had {seen} batches and its sampler promised {length}: let '
                'its len() be right, or train with train_cfg.type=EpochBasedTrainLoop, '
                'which does not resume exactly'
            )
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1
