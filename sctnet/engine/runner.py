"""mmengine's Runner with data loaders that name a file which cannot be used."""

from typing import Any

from mmengine.runner import BaseLoop
from mmengine.runner import Runner as _Runner
from torch.utils.data import DataLoader

from .collate import stacking
from .label_range import learnt_labels, measured_labels
from .seeded_dataset import seeded


class Runner(_Runner):
    """mmengine's Runner; a broken file and labels that are no classes are named.

    ``num_workers=0`` goes with ``persistent_workers=True``, which then means nothing.
    """

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict, *args: Any, **kwargs: Any
    ) -> DataLoader:
        """Build a loader as mmengine does, of a :class:`SeededDataset`."""
        if isinstance(dataloader, dict):
            dataloader = seeded(without_workers(dataloader))
        return _Runner.build_dataloader(dataloader, *args, **kwargs)

    def build_train_loop(self, loop: Any) -> BaseLoop:
        """Build as mmengine does; labels are to be those that the model learns."""
        labels = learnt_labels(self.model)
        self._train_dataloader: Any = seeded(self._train_dataloader, labels=labels)
        return super().build_train_loop(loop)

    def build_val_loop(self, loop: Any) -> BaseLoop:
        """Build as mmengine does; labels are to be those that the metrics count."""
        labels = measured_labels(self.model, self._val_evaluator)
        stacked = stacking(self._val_dataloader, self.model)
        self._val_dataloader: Any = seeded(stacked, labels=labels)
        return super().build_val_loop(loop)

    def build_test_loop(self, loop: Any) -> BaseLoop:
        """Build as mmengine does; labels are to be those that the metrics count."""
        labels = measured_labels(self.model, self._test_evaluator)
        stacked = stacking(self._test_dataloader, self.model)
        self._test_dataloader: Any = seeded(stacked, labels=labels)
        return super().build_test_loop(loop)


def without_workers(dataloader: dict) -> dict:
    """Leave out what torch refuses where this process loads the data itself."""
    dataloader = {'num_workers': 0, 'batch_size': 1, **dataloader}
    if not dataloader['num_workers']:
        for option in ('persistent_workers', 'prefetch_factor'):
            dataloader.pop(option, None)
    return dataloader
