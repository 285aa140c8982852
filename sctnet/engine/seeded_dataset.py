"""The data set that a loader reads: seeded by sample, its files and labels checked."""

import logging
import random
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from mmseg.registry import DATASETS
from torch.utils.data import Dataset

from ..datasets.check.sample_files import find_fault, quick_fault
from ..datasets.check_labels import check_sample
from ..datasets.collate import stack_samples
from ..datasets.images import read_image
from ..datasets.store import LoadImageFromStore
from ..datasets.transforms.any_bands import read_alike
from ..errors import BrokenFileError, DataError
from .broken_files import innermost
from .label_range import LabelRange
from .loaded_labels import look_at_labels

DATA, MODEL = 0, 1  # two streams of seeds that must not meet
_IN_A_ROW = 100  # so many neighbours broken: something else is wrong


def seed_everything(*key: int, devices: bool = True) -> None:
    """Seed python, numpy and torch from integers; ``devices`` includes the GPUs."""
    words = [int(word) for word in np.random.SeedSequence(key).generate_state(3)]
    random.seed(words[0])
    np.random.seed(words[1])
    if devices:
        torch.manual_seed(words[2])
    else:
        torch.default_generator.manual_seed(words[2])


class NumberedIndex(int):
    """A sample's index that knows the how-manieth of the whole training it is."""

    number: int

    def __new__(cls, index: int, number: int = 0) -> 'NumberedIndex':
        """Return ``index`` with its ``number``."""
        numbered = super().__new__(cls, index)
        numbered.number = number
        return numbered


class SeededDataset(Dataset):
    """A data set whose sample depends on index and number alone, in any worker.

    Asked for a :class:`NumberedIndex`, it seeds the random generators by the seed of
    the run and the number before it loads and augments. A plain index is not seeded.
    The user's own data set is its ``dataset``, as it is of mmengine's wrappers.

    Labels are looked at here, in a loader's worker, where it costs the training no
    time: on a GPU one that is no class would end the process without its file's name.

    Args:
        dataset: a data set or the config of one.
        seed: of the run.
        skip_broken: load the next sound sample in the place of one with a broken file.
            It carries ``skipped_files``, pairs of path and fault, in its data sample.
        labels: what label maps may hold, as loaded; None does not look.
        small_labels: return label maps in the smallest type that holds ``labels``,
            which is mostly uint8; else in that of the data set, int64 for mmseg's.
    """

    def __init__(
        self,
        dataset: Any,
        seed: int = 0,
        skip_broken: bool = False,
        labels: LabelRange | None = None,
        small_labels: bool = False,
    ) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.seed = seed
        self.skip_broken = skip_broken
        self.labels = labels
        self.small_labels = small_labels
        # The files of what lies elsewhere than on this disk are not looked at, nor
        # those that a store has decoded.
        leaves = list(innermost(self.dataset))
        remote = any(getattr(leaf, 'backend_args', None) for leaf in leaves)
        unread = remote or all(map(_reads_store, leaves))
        self._names_files = hasattr(self.dataset, 'get_data_info') and not unread
        look_at_labels(leaves, labels)
        for leaf in [] if remote else leaves:
            _read_alike(leaf)

    @property
    def metainfo(self) -> dict[str, Any]:
        """Classes and palette of the data set; empty for one that has none."""
        return getattr(self.dataset, 'metainfo', {})

    def full_init(self) -> None:
        """List the samples, where the data set was built lazily."""
        if hasattr(self.dataset, 'full_init'):
            self.dataset.full_init()

    def get_data_info(self, index: int) -> dict[str, Any]:
        """Return the paths of sample ``index``; empty for a data set without files."""
        named = hasattr(self.dataset, 'get_data_info')
        return self.dataset.get_data_info(int(index)) if named else {}

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        """Load and augment a sample.

        Raises:
            DataError: a file is broken, and ``skip_broken`` is False; or a hundred in
                a row are broken, or all; or a label is outside ``labels``, which is
                never skipped: the whole data set may be so.
        """
        if isinstance(index, NumberedIndex):
            seed_everything(self.seed, DATA, index.number, devices=False)
        index = int(index)
        skipped: list[tuple[str, str]] = []
        while not skipped or len(skipped) < min(len(self), _IN_A_ROW):
            sample, fault = self._try(index)
            if fault is None:
                self._settle_labels(sample)
                return _mark(sample, skipped) if skipped else sample
            if not self.skip_broken:
                raise BrokenFileError.of(*fault)
            skipped.append(fault)
            index = (index + 1) % len(self)
        path, detail = skipped[-1]
        raise DataError(
            f"{len(skipped)} files in a row are broken, the last '{path}' ({detail}): "
            'see with sctnet check what happened to the data set'
        )

    def _try(self, index: int) -> tuple[Any, tuple[str, str] | None]:
        """Return the sample, or None with the path and fault of its broken file."""
        info = self.get_data_info(index) if self._names_files else {}
        fault = quick_fault(info)
        if fault is not None:
            return None, fault
        try:
            sample = self.dataset[index]
        except BrokenFileError as error:
            return None, (error.path, error.fault)
        except DataError:
            raise
        except Exception as error:
            fault = find_fault(info)
            if fault is None:
                if not isinstance(error, IndexError):  # which ends an iteration
                    path = self.get_data_info(index).get('img_path')
                    said = f"sample {index} ('{path}') cannot be loaded"
                    print_log(said, 'current', logging.ERROR)
                raise
            return None, fault
        return sample, _misfit(sample, info)

    def _settle_labels(self, sample: Any) -> None:
        packed: Any = sample.get('data_samples') if isinstance(sample, dict) else None
        # Test-time augmentation loads several of one image.
        for one in packed if isinstance(packed, list | tuple) else [packed]:
            if self.labels is not None and hasattr(one, 'gt_sem_seg'):
                small = check_sample(one, self.labels.count, self.labels.ignored)
                if self.small_labels:
                    one.gt_sem_seg.data = small


def seeded(dataloader: Any, **options: Any) -> Any:
    """Return the config ``dataloader`` with its data set in a :class:`SeededDataset`.

    Its labels are small where its batches are stacked: they are widened after that.

    Args:
        dataloader: config of a loader; one that is built is returned as it is.
        **options: of :class:`SeededDataset`; they add to those that it has.
    """
    if not isinstance(dataloader, dict):
        return dataloader
    dataset = dataloader['dataset']
    if not isinstance(dataset, dict) or dataset.get('type') is not SeededDataset:
        dataset = {'type': SeededDataset, 'dataset': dataset}
    small = dataloader.get('collate_fn') is stack_samples
    options = {'small_labels': small, **options}
    return {**dataloader, 'dataset': {**dataset, **options}}


def _read_alike(dataset: Any) -> None:
    """Let images be read as inference does; what that loses is said here, not later."""
    steps = getattr(getattr(dataset, 'pipeline', None), 'transforms', None)
    if isinstance(steps, list) and read_alike(steps):
        # Of a broken file, or a list of none, the training says more.
        with suppress(Exception):
            read_image(dataset.get_data_info(0)['img_path'])


def _reads_store(dataset: Any) -> bool:
    steps = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    return any(isinstance(step, LoadImageFromStore) for step in steps)


def _misfit(sample: Any, info: dict[str, Any]) -> tuple[str, str] | None:
    """Return path and fault of a label map that does not fit its image, as loaded."""
    packed: Any = sample.get('data_samples') if isinstance(sample, dict) else None
    path = info.get('seg_map_path')
    if path is None or getattr(packed, 'gt_sem_seg', None) is None:
        return None
    labels = tuple(packed.gt_sem_seg.shape)
    # Training changes image and label map alike; tests keep the file's own size.
    image = tuple(getattr(sample['inputs'], 'shape', ()))[-2:]
    if labels in (image, tuple(packed.get('ori_shape') or ())[:2]):
        return None
    return path, (
        f'{labels} pixels as loaded, its image {image}: write one class index a pixel, '
        'in one channel, of the size of the image'
    )


def _mark(sample: Any, skipped: list[tuple[str, str]]) -> Any:
    """Tell in ``sample`` what it stands in for; without a place for it, raise."""
    packed: Any = sample.get('data_samples') if isinstance(sample, dict) else None
    if not hasattr(packed, 'set_metainfo'):
        raise BrokenFileError.of(*skipped[0])
    packed.set_metainfo({'skipped_files': skipped})
    return sample
