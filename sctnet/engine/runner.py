"""mmengine's Runner with data loaders that name a file which cannot be used."""

from collections.abc import Callable
from typing import Any

from mmengine.optim import OptimWrapperDict
from mmengine.runner import BaseLoop
from mmengine.runner import Runner as _Runner
from torch.utils.data import DataLoader

from . import schedules
from .batch_size import check_batch_size
from .collate import stacking
from .label_range import learnt_labels, measured_labels
from .resume import resume
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

    def build_train_loop(self, loop: BaseLoop | dict) -> BaseLoop:
        """Build the loop, of labels that the model learns and batches that it takes.

        Raises:
            ConfigError: a batch norm would see a single value per channel.
        """
        labels = learnt_labels(self.model)
        self._train_dataloader: Any = seeded(self._train_dataloader, labels=labels)
        built = super().build_train_loop(loop)
        if built is not loop:
            check_batch_size(self.model, built.dataloader, self.cfg)
        return built

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

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build schedulers; say where one is shorter or longer than the training."""
        built = super().build_param_scheduler(schedules.with_lengths(scheduler))
        if isinstance(built, list) and built != scheduler:
            for line in schedules.lengths_to_tell(
                built, self.train_loop, self.max_iters, self.max_epochs
            ):
                self.logger.warning(line)
        return built

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: str | Callable = 'default',
    ) -> None:
        """Go on from a checkpoint, by the config's schedule (:mod:`.resume`).

        Several optimizers go on as in mmengine, by the checkpoint's.

        Raises:
            CheckpointError: it is of another model or another optimizer.
        """
        options = (resume_optimizer, resume_param_scheduler, map_location)
        if isinstance(self.optim_wrapper, OptimWrapperDict):
            super().resume(filename, *options)
        else:
            resume(self, filename, *options)


def without_workers(dataloader: dict) -> dict:
    """Leave out what torch refuses where this process loads the data itself."""
    dataloader = {'num_workers': 0, 'batch_size': 1, **dataloader}
    if not dataloader['num_workers']:
        for option in ('persistent_workers', 'prefetch_factor'):
            dataloader.pop(option, None)
    return dataloader
