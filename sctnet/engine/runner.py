"""mmengine's Runner, which says what is wrong with a loss or a file."""

from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner as _Runner
from torch import nn
from torch.utils.data import DataLoader

from .check_losses import check_losses
from .seeded_dataset import SeededDataset


class Runner(_Runner):
    """mmengine's Runner, which looks at the losses and names a broken file.

    A loss that does not fit the classes ends a training before its first iteration, and
    validation and tests end with the name of a file that cannot be loaded.

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

    def train(self) -> nn.Module:
        """Train as mmengine does, if the model's losses fit its classes.

        Raises:
            ConfigError: they do not.
        """
        wrapped = is_model_wrapper(self.model)
        check_losses(self.model.module if wrapped else self.model)
        return super().train()


def without_workers(dataloader: dict) -> dict:
    """Leave out what torch refuses where this process loads the data itself."""
    dataloader = {'num_workers': 0, 'batch_size': 1, **dataloader}
    if not dataloader['num_workers']:
        for option in ('persistent_workers', 'prefetch_factor'):
            dataloader.pop(option, None)
    return dataloader
