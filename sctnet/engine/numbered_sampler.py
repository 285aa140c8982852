"""A sampler whose samples know their number in the whole training."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from mmengine.dist import get_rank, get_world_size
from mmseg.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from .seeded_dataset import NumberedIndex, SeededDataset


class NumberedSampler(Sampler):
    """Yields indices that know the how-manieth sample of the whole training they are.

    Without end, or once :meth:`begin_epoch` was called, for one epoch.

    Args:
        sampler: yields this process's indices, or the config of what does; it is
            started again when it ends.
        dataset: what it samples from.
        seed: of its shuffling, the same in all processes.
        start: how many samples of this process to skip.
    """

    def __init__(self, sampler: Any, dataset: Any, seed: int, start: int = 0) -> None:
        # A sampler of a user's may ask its data set much.
        inner = isinstance(dataset, SeededDataset)
        self.dataset = dataset.dataset if inner else dataset
        if isinstance(sampler, dict):
            defaults = {'dataset': self.dataset, 'seed': seed}
            sampler = DATA_SAMPLERS.build(sampler, default_args=defaults)
        self.sampler = sampler
        self.start = start
        self.epoch: int | None = None

    def begin_epoch(self, epoch: int, start: int) -> None:
        """Let the next round be of ``epoch`` alone, without its first ``start``."""
        self.epoch, self.start = epoch, start

    @property
    def endless(self) -> bool:
        """Whether it goes on after an epoch, so that every batch is whole."""
        return self.epoch is None

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[NumberedIndex]:
        rank, world_size = get_rank(), get_world_size()
        first, indices = 0, self._endless()
        if self.epoch is not None:
            first = self.epoch * len(self)
            indices = islice(self._shuffled(self.epoch), len(self))
        for count, index in enumerate(indices):
            if count >= self.start:
                yield NumberedIndex(index, (first + count) * world_size + rank)

    def _endless(self) -> Iterator[int]:
        epoch = 0
        while True:
            yield from self._shuffled(epoch)
            epoch += 1

    def _shuffled(self, epoch: int) -> Iterator[int]:
        if hasattr(self.sampler, 'set_epoch'):
            self.sampler.set_epoch(epoch)
        return iter(self.sampler)
