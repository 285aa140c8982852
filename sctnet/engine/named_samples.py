"""Samples whose loading, where it fails, tells the file that it failed on."""

from typing import Any

from mmseg.registry import DATASETS
from torch.utils.data import Dataset

from ..errors import DataError, SCTNetError
from .sample_files import FirstLook
from .train_loop import SeededSamples

_FILES = ('img_path', 'seg_map_path')


class NamedSamples(Dataset):
    """A data set that raises :class:`DataError` for what cannot be loaded.

    Args:
        dataset: a data set or the config of one. Its other attributes are there too.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self._look = FirstLook(self.dataset)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, sample: Any) -> Any:
        """Load a sample; ``(index, number)`` as :class:`SeededSamples` takes it, too.

        Raises:
            DataError: its image or label map is missing or damaged, or the label map
                has another size or more than one channel.
        """
        index = sample[0] if isinstance(sample, tuple) else sample
        try:
            packed = self._load(index, sample)
        except (SCTNetError, IndexError, MemoryError):
            # IndexError ends an iteration over the samples.
            raise
        except Exception as error:
            raise DataError(self._explain(index, error)) from error
        self._check_shape(index, packed)
        return packed

    def _load(self, index: int, sample: Any) -> Any:
        # SeededSamples looks itself, and puts others in the place of broken ones.
        looks = isinstance(self.dataset, SeededSamples)
        fault = None if looks else self._look.fault(index)
        if fault is not None:
            raise DataError(_broken(*fault))
        return self.dataset[sample]

    def _explain(self, index: int, error: Exception) -> str:
        info = self._info(index)
        fault = self._look.explain(index)
        if fault is not None:
            return _broken(*fault)
        named = ' and '.join(f"'{info[key]}'" for key in _FILES if info.get(key))
        first = str(error).partition('\n')[0]
        return (
            f'sample {index} ({named or "no file"}) cannot be loaded '
            f'({type(error).__name__}: {first}): look at these files, and at the data '
            "set's pipeline in the config"
        )

    def _info(self, index: int) -> dict:
        named = hasattr(self.dataset, 'get_data_info')
        return self.dataset.get_data_info(index) if named else {}

    def _check_shape(self, index: int, packed: Any) -> None:
        sample: Any = packed.get('data_samples') if isinstance(packed, dict) else None
        if getattr(sample, 'gt_sem_seg', None) is None:
            return
        labels = tuple(sample.gt_sem_seg.shape)
        # Training changes image and label map alike; tests keep the file's own size.
        sizes = [tuple(getattr(packed['inputs'], 'shape', ()))[-2:]]
        sizes.append(tuple(sample.get('ori_shape') or ())[:2])
        if labels in sizes:
            return
        path = self._info(index).get('seg_map_path') or f'of sample {index}'
        raise DataError(_misfit(path, labels, sizes[0]))

    def __getattr__(self, name: str) -> Any:
        # Not there yet while a copy is unpickled; and torch must not find the inner
        # data set's own way of loading batches.
        if name == 'dataset' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.dataset, name)


def _broken(path: str, detail: str) -> str:
    return (
        f"'{path}' is broken ({detail}): put it there again, or take it out of the "
        'data set'
    )


def _misfit(path: str, labels: object, image: object) -> str:
    return (
        f"label map '{path}' does not fit its image ({labels} and {image} pixels, as "
        'they are loaded): write one class index a pixel, in one channel, of the size '
        'of the image'
    )
