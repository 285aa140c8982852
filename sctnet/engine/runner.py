"""mmengine's Runner, which names the files that it cannot use, and says what it loads.

Weights that start a training are kept as far as they fit; those that a test or a
resumed training loads must fit whole, whatever the network.
"""

import logging
import os
from collections.abc import Callable
from typing import Any

from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapperDict
from mmengine.runner import BaseLoop
from mmengine.runner import Runner as _Runner
from mmengine.runner.checkpoint import CheckpointLoader, load_state_dict
from torch import nn
from torch.utils.data import DataLoader

from ..errors import CheckpointError
from ..weights.fit import counted
from ..weights.partial_fit import PartialFit, explain_classes, fit_in_part
from ..weights.pretrained import checked_pretraining
from ..weights.safe_files import Checkpoint, dataset_meta_of, weights_of
from ..weights.segmentor_files import find_segmentor, whole_weights
from . import schedules
from .batch_size import check_batch_size
from .check_losses import check_losses
from .label_range import learnt_labels, measured_labels
from .resume import resume
from .seeded_dataset import seeded
from .stacking import stacking
from .unwrap import unwrapped

# What mmengine logs before anything happens, over a thousand lines.
_LONG = ('Config:', 'Hooks will be executed', '\n' + 10 * '-')


class Runner(_Runner):
    """mmengine's Runner; a broken file and labels that are no classes are named.

    ``num_workers=0`` goes with ``persistent_workers=True``, which then means nothing.
    After each load one line of the log says how much was loaded.

    Attributes:
        skips_broken_images: whether a test leaves them out: one that measures nothing.
    """

    skips_broken_images = False

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build mmengine's; config, environment and hooks go to the file alone."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(_is_short)
        logger.info(f"config, environment and hooks are in the log of '{self.log_dir}'")
        return logger

    def load_or_resume(self) -> None:
        """Start a training from what fits of ``load_from``; resume and test from all.

        Raises:
            CheckpointError: the file cannot be read, or does not fit; for a training
                that starts, if less than half of the backbone does.
        """
        resumes = self._resume and not self._has_loaded
        starts = isinstance(self._train_loop, BaseLoop) and not self._resume
        if starts and self._load_from is not None and not self._has_loaded:
            self._load(self._load_from, 'cpu', in_part=True)
        else:
            super().load_or_resume()
        if resumes:  # the checkpoint was taken
            super().dump_config()

    def dump_config(self) -> None:
        """Write the config to the work folder; of a resumed training, once it goes on.

        So a resume that is refused leaves that of the training as it is.
        """
        if not self._resume:
            super().dump_config()

    def load_checkpoint(
        self, filename: str | os.PathLike, map_location: Any = 'cpu', *_: Any, **__: Any
    ) -> Checkpoint:
        """Load all of a file, a URL, or the best checkpoint of a work folder.

        What else mmengine's takes has no effect: loading is strict, and renames the
        original's weights itself.

        Raises:
            CheckpointError: it cannot be read, or does not fit.
        """
        return self._load(filename, map_location, in_part=False)

    def _load(
        self, place: str | os.PathLike, map_location: Any, in_part: bool
    ) -> Checkpoint:
        file = find_segmentor(place)
        content = CheckpointLoader.load_checkpoint(file, map_location)
        try:
            fit = self._fit(content, in_part)
        except CheckpointError as error:
            raise CheckpointError(f"cannot load '{file}': {error}") from error
        content = {**content, 'state_dict': fit.weights}  # hooks such as EMA's see it
        self.call_hook('after_load_checkpoint', checkpoint=content)
        load_state_dict(unwrapped(self.model), content['state_dict'])
        self._has_loaded = True
        self.logger.info(f"{fit.report} from '{file}'")
        return content

    def _fit(self, content: Checkpoint, in_part: bool) -> PartialFit:
        model, weights = unwrapped(self.model), weights_of(content)
        if not in_part:
            own = model.state_dict()
            weights = whole_weights(model, weights, own)
            kept = [name for name in counted(weights) if weights[name] is own.get(name)]
            much = f'{len(counted(weights)) - len(kept)} of' if kept else 'all'
            report = f'loaded {much} {len(counted(weights))} weights'
            return PartialFit(weights, report)
        old = (dataset_meta_of(content) or {}).get('classes')
        new = getattr(self.train_dataloader.dataset, 'metainfo', {}).get('classes')
        return fit_in_part(model, weights, explain_classes(old, new))

    def _init_model_weights(self) -> None:
        with checked_pretraining(unwrapped(self.model)):
            super()._init_model_weights()

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
            check_batch_size(self.model, built.dataloader)
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
        self._test_dataloader: Any = seeded(
            stacked, labels=labels, skip_broken=self.skips_broken_images
        )
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

    def train(self) -> nn.Module:
        """Train as mmengine does, if the model's losses fit its classes.

        Raises:
            ConfigError: they do not.
        """
        check_losses(unwrapped(self.model))
        self._tell_what_is_frozen()
        return super().train()

    def _tell_what_is_frozen(self) -> None:
        weights = dict(unwrapped(self.model).named_parameters())
        frozen = [name for name, weight in weights.items() if not weight.requires_grad]
        if frozen:
            # Such as backbone.stage1: the first two parts of a name.
            parts = dict.fromkeys('.'.join(name.split('.')[:2]) for name in frozen)
            self.logger.info(
                f'{len(frozen)} of {len(weights)} weights are frozen and keep their '
                f'values, in {", ".join(parts)}'
            )
        if getattr(getattr(unwrapped(self.model), 'backbone', None), 'norm_eval', 0):
            self.logger.info("the backbone's norms keep their statistics (norm_eval)")

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


def _is_short(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_LONG)


def without_workers(dataloader: dict) -> dict:
    """Leave out what torch refuses where this process loads the data itself."""
    dataloader = {'num_workers': 0, 'batch_size': 1, **dataloader}
    if not dataloader['num_workers']:
        for option in ('persistent_workers', 'prefetch_factor'):
            dataloader.pop(option, None)
    return dataloader
