"""mmengine's Runner with data loaders that name a file which they cannot load."""

from typing import Any

from mmengine.runner import BaseLoop
from mmengine.runner import Runner as _Runner
from torch.utils.data import DataLoader

from .collate import stacking
from .seeded_dataset import SeededDataset


class Runner(_Runner):
    """mmengine's Runner; validation and tests end with the name of a broken file.

    ``num_workers=0`` goes with ``persistent_workers=True``, which then means nothing.
    """

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict, *args: Any, **kwargs: Any
    ) -> DataLoader:
        """Build a loader as mmengine does, of a :class:`SeededDataset`."""
        if isinstance(dataloader, dict):
            dataloader = without_workers(dataloader)
            dataset = dataloader['dataset']
            if isinstance(dataset, dict) and dataset.get('type') is not SeededDataset:
                dataset = {'type': SeededDataset, 'dataset': dataset}
                dataloader = {**dataloader, 'dataset': dataset}
        return _Runner.build_dataloader(dataloader, *args, **kwargs)

    def build_val_loop(self, loop: Any) -> BaseLoop:
        """Build the loop as mmengine does; its batches are stacked as in training."""
        config: Any = self._val_dataloader
        self._val_dataloader: Any = stacking(config, self.model)
        return super().build_val_loop(loop)

    def build_test_loop(self, loop: Any) -> BaseLoop:
        """Build the loop as mmengine does; its batches are stacked as in training."""
        config: Any = self._test_dataloader
        self._test_dataloader: Any = stacking(config, self.model)
        return super().build_test_loop(loop)


def without_workers(dataloader: dict) -> dict:
    """Leave out what torch refuses where this process loads the data itself."""
    dataloader = {'num_workers': 0, 'batch_size': 1, **dataloader}
    if not dataloader['num_workers']:
        for option in ('persistent_workers', 'prefetch_factor'):
            dataloader.pop(option, None)
    return dataloader
