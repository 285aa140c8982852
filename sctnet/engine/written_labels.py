"""Which value a class has in a file of predictions, such as a benchmark's server takes.

A network gives class indices, 0 to K-1. Files of a data set, and servers, may count in
another way: Cityscapes has labelIds, ADE20K counts from 1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.config import Config
from mmseg.datasets import ADE20KDataset, CityscapesDataset
from mmseg.structures import SegDataSample

from ..datasets.from_config import datasets_of
from ..datasets.label_values import WRITTEN, label_values
from ..datasets.listing import build_dataset
from ..errors import ArgumentError, ConfigError
from ..models.heads import label_count

_PUBLISHED: dict[str, tuple[Any, Sequence[int]]] = {
    'cityscapes': (
        CityscapesDataset,
        (7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33),
    ),
    'ade20k': (ADE20KDataset, range(1, 151)),
}
TAKE_INDEX = 'take --labels index'


def label_image(model: Any, result: SegDataSample, labels: str = 'index') -> np.ndarray:
    """Return the label map of a result as a PNG for a benchmark's server holds it.

    Args:
        model: from :func:`sctnet.apis.init_model`.
        result: of one image, from :func:`sctnet.apis.inference_model`.
        labels: a key of :data:`sctnet.datasets.label_values.WRITTEN`: ``index``,
            ``dataset``, ``cityscapes`` or ``ade20k``.

    Returns:
        uint8 (H, W); uint16 where a value is above 255.

    Raises:
        ArgumentError: there is no such kind, or it is of other classes.
        ConfigError: ``dataset`` for a model whose config has no data set.
    """
    return values_of(model, labels)[result.pred_sem_seg.data[0].long().cpu().numpy()]


def values_of(model: Any, labels: str) -> np.ndarray:
    """Return what stands for each class of ``model``, as :func:`written_values`."""
    classes = (getattr(model, 'dataset_meta', None) or {}).get('classes')
    cfg = getattr(model, 'cfg', None)
    return written_values(labels, label_count(model), classes or (), cfg)


def written_values(
    labels: str, count: int, classes: Sequence[str], cfg: Config | None
) -> np.ndarray:
    """Return the value that stands for each class in a file, uint8 or uint16 (K,).

    Args:
        labels: a key of :data:`sctnet.datasets.label_values.WRITTEN`.
        count: K, how many classes there are.
        classes: their names.
        cfg: its test data say how ``dataset`` counts.

    Raises:
        ArgumentError: there is no such kind, or it is of other classes.
        ConfigError: the config has no test data, or these do not store all classes.
    """
    if labels not in WRITTEN:
        raise ArgumentError(
            f"labels is '{labels}': expected one of {', '.join(WRITTEN)}"
        )
    values: Sequence[int] = range(count)
    if labels == 'dataset':
        values = _stored(count, cfg)
    elif labels in _PUBLISHED:
        values = _published(labels, count, classes)
    return np.array(values, np.uint8 if max(values) < 256 else np.uint16)


def _stored(count: int, cfg: Config | None) -> list[int]:
    """Undo what LoadAnnotations makes of the values of the data set's label maps."""
    configs = list(datasets_of(cfg, ['test_dataloader'])) if cfg else []
    datasets = [build_dataset(config, TAKE_INDEX) for config in configs]
    tables = {
        tuple(label_values(dataset.reduce_zero_label, dataset.label_map).tolist())
        for dataset in datasets
    }
    if len(tables) != 1:
        many = f'has {len(tables)} ways to count' if tables else 'is not there'
        raise ConfigError(
            '--labels dataset counts as the data set of test_dataloader does, which '
            f'{many}: name a config that has one, or {TAKE_INDEX}'
        )
    # The first of several values that are one class.
    stored = {label: value for value, label in reversed([*enumerate(tables.pop())])}
    if absent := [label for label in range(count) if label not in stored]:
        raise ConfigError(
            f'no value of the label maps of the data set stands for class {absent[0]}: '
            f'correct its classes in the config, or {TAKE_INDEX}'
        )
    return [stored[label] for label in range(count)]


def _published(labels: str, count: int, classes: Sequence[str]) -> list[int]:
    dataset, ids = _PUBLISHED[labels]
    known = dict(zip(dataset.METAINFO['classes'], ids, strict=True))
    foreign = [name for name in classes if name not in known]
    if foreign or len(classes) != count:
        has = f"'{foreign[0]}'" if foreign else f'{count} without their names'
        raise ArgumentError(
            f'--labels {labels} is for the {len(known)} classes of that data set, and '
            f'this network has {has}: {TAKE_INDEX}'
        )
    return [known[name] for name in classes]
