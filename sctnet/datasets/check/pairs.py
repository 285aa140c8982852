"""Which images and label maps a config's data set means to read."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmseg.datasets import BaseSegDataset

from ...compat.config_types import kind_of
from ...files import find_files
from ..folder_dataset import FolderDataset
from ..from_config import LOADERS, datasets_of, steps_of
from ..images import LOSSY, SUFFIXES
from ..label_values import label_values
from ..listing import Pair, build_dataset, list_files
from .faults import Fault
from .loaded_image import Reading, reading_of

SPLITS = ('train', 'val')  # what a training reads
ALL = (*SPLITS, 'test')
LABELS = {'LoadAnnotations', 'LoadAnnotationsFromStore'}


@dataclass
class Part:
    """One data set: its pairs, and how it reads a label map's values.

    Attributes:
        name: ``'train'``, ``'val'`` or ``'test'``; the second of several ``'train 2'``.
        classes: their names.
        palette: RGB of each class.
        ignored: labels of pixels that count nothing, to the data set or to the loss.
        reduce_zero_label: whether 0 is to ignore and the classes begin at 1.
        label_map_given: whether the config takes some of the data set's classes.
        reading: how the images come to the network.
        value_of: of each stored byte, the label that training sees, uint8 (256,).
        pairs: what is to be read.
        faults: what the listing alone has shown.
    """

    name: str
    classes: list[str]
    palette: list[list[int]]
    ignored: list[int]
    reduce_zero_label: bool
    label_map_given: bool
    reading: Reading
    value_of: np.ndarray
    pairs: list[Pair]
    faults: list[Fault]

    def is_outside(self, labels: np.ndarray) -> np.ndarray:
        """Return where labels of any shape are neither a class nor to ignore."""
        return (labels >= len(self.classes)) & ~np.isin(labels, self.ignored)


def list_parts(cfg: Config, splits: Iterable[str] = SPLITS) -> Iterator[Part]:
    """Yield every data set that ``cfg`` has for ``splits``.

    A test that reads what the validation does, or no labels, is none of its own.

    Raises:
        ConfigError: a data set cannot be built, or does not read files in pairs.
        DataError: its folder is not there.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    validated: list[list[Pair]] = []
    for split in splits:
        for number, dataset in enumerate(datasets_of(cfg, [LOADERS[split]]), 1):
            name = split if number == 1 else f'{split} {number}'
            reading = reading_of(cfg, dataset)
            part = _part(name, dataset, _ignored_by_loss(cfg), reading)
            kinds = map(kind_of, steps_of(dataset.get('pipeline')))
            if split == 'test' and (
                part.pairs in validated or LABELS.isdisjoint(kinds)
            ):
                continue
            validated += [part.pairs] if split == 'val' else []
            yield part


def _ignored_by_loss(cfg: Config) -> int:
    head = cfg.get('model', {}).get('decode_head', {})
    head = head[0] if isinstance(head, list) else head
    return head.get('ignore_index', 255)


def _part(name: str, config: ConfigDict, ignored: int, reading: Reading) -> Part:
    dataset = build_dataset(config)
    found = list(list_files(dataset))
    partners = _partners(dataset, found)
    faults = [f for f in (_missing(name, pair, partners) for pair in found) if f]
    absent = {fault.path for fault in faults}
    pairs = [pair for pair in found if pair.image not in absent]
    faults += _alone(name, dataset, found)
    if not found:
        folder = str(dataset.data_prefix.get('img_path'))
        faults.append(Fault('no images', name, folder, 'of the endings that it takes'))
    return Part(
        name=name,
        classes=list(dataset.metainfo.get('classes') or ()),
        palette=[list(colour) for colour in dataset.metainfo.get('palette') or ()],
        ignored=[v for v in {dataset.ignore_index, ignored} if 0 <= v <= 255],
        reduce_zero_label=dataset.reduce_zero_label,
        label_map_given=bool(dataset.label_map),
        reading=reading,
        value_of=label_values(dataset.reduce_zero_label, dataset.label_map),
        pairs=pairs,
        faults=faults,
    )


def _partners(dataset: BaseSegDataset, pairs: list[Pair]) -> dict[str, str]:
    """Say which label maps of other names those that are missing may be."""
    absent = any(pair.labels and not os.path.isfile(pair.labels) for pair in pairs)
    if not absent or not isinstance(dataset, FolderDataset):
        return {}
    return dataset.likely_partners()


def _missing(part: str, pair: Pair, partners: dict[str, str]) -> Fault | None:
    if not os.path.isfile(pair.image):
        return Fault('missing image', part, pair.image, 'listed but not there')
    if pair.labels is not None and not os.path.isfile(pair.labels):
        other = _of_other_format(pair) or partners.get(pair.image, '')
        detail = f"looked for '{pair.labels}'{other}"
        return Fault('missing label map', part, pair.image, detail)
    return None


def _of_other_format(pair: Pair) -> str:
    """Say which file has the name of a missing label map and another ending."""
    labels, image = Path(str(pair.labels)), Path(pair.image)
    for other in (labels.with_suffix(suffix) for suffix in SUFFIXES):
        if other != image and other.is_file():
            if other.suffix in LOSSY:
                return f" and found '{other.name}', whose values compression changed"
            return f" and found '{other.name}': save it as {labels.suffix}"
    return ''


def _alone(part: str, dataset: BaseSegDataset, pairs: list[Pair]) -> list[Fault]:
    """Label maps that no image of the listing has; of a list file, not looked for."""
    labels_dir = dataset.data_prefix.get('seg_map_path')
    if not labels_dir or not os.path.isdir(labels_dir) or dataset.ann_file:
        return []
    known = {os.path.normpath(pair.labels) for pair in pairs if pair.labels}
    suffix = dataset.seg_map_suffix
    return [
        Fault('label map alone', part, str(path), 'no image has its name')
        for path in find_files(Path(labels_dir), suffix)
        if os.path.normpath(path) not in known
    ]
