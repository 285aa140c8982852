"""What is looked at before a training starts: the folders of classes."""

import os
from pathlib import Path

from mmengine.config import Config, ConfigDict

from sctnet.datasets.from_config import datasets_of
from sctnet.errors import ConfigError, DataError

LOADERS = ('train_dataloader', 'val_dataloader')
SUFFIXES = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif')
HINT = 'put the data set there or name its folder with --data-root'


def check_folders(cfg: Config) -> int:
    """See that training and validation have the classes of the classifier, with images.

    Returns:
        The number of training images.

    Raises:
        DataError: a folder is missing or empty, or the two have other classes.
        ConfigError: the classifier has another number of classes.
    """
    images: dict[str, dict[str, int]] = {}
    for dataset in datasets_of(cfg, LOADERS):
        place = Path(dataset.data_root) / dataset.data_prefix
        images[str(place)] = _count_images(place, dataset)
    (train, classes), *others = images.items()
    for name, counts in others:
        if counts and classes and counts.keys() != classes.keys():
            odd = sorted(counts.keys() ^ classes.keys())
            raise DataError(
                f"'{train}' and '{name}' differ in {len(odd)} class folders, such as "
                f"'{odd[0]}': each needs one folder for every class, by the same names"
            )
    expected = cfg.model.head.num_classes
    if classes and len(classes) != expected:
        raise ConfigError(
            f"'{train}' has {len(classes)} class folders and the classifier {expected} "
            f'classes: set model.head.num_classes={len(classes)} with --cfg-options, '
            'or name another folder with --data-root'
        )
    return sum(classes.values())


def _count_images(place: Path, dataset: ConfigDict) -> dict[str, int]:
    """Images of each class folder; nothing where a list of files says it instead."""
    if not place.is_dir():
        raise DataError(f"there is no folder '{place}': {HINT}")
    if dataset.get('ann_file'):
        file = Path(dataset.data_root) / dataset.ann_file
        if not file.is_file():
            raise DataError(f"there is no list '{file}': check the data set's ann_file")
        return {}
    counts = {
        folder.name: sum(
            name.lower().endswith(SUFFIXES)
            for _, _, names in os.walk(folder)
            for name in names
        )
        for folder in place.iterdir()
        if folder.is_dir()
    }
    if not counts:
        raise DataError(
            f"'{place}' has no class folders ('{place}/CLASS/*.jpg'): {HINT}"
        )
    empty = sorted(name for name, count in counts.items() if not count)
    if empty:
        raise DataError(
            f"'{place}' has {len(empty)} class folders without images, such as "
            f"'{empty[0]}': unpack them again or remove them"
        )
    return counts


def set_epochs(cfg: Config, epochs: float, images: int) -> None:
    """Let ``cfg`` train for ``epochs`` of ``images``, with its schedule to scale.

    Validation and checkpoints come once an epoch.

    Raises:
        ConfigError: not a positive number, or there are fewer images than in a batch.
    """
    step = cfg.train_dataloader.batch_size * int(os.environ.get('WORLD_SIZE', 1))
    an_epoch = images // step
    iterations = round(images * epochs / step)
    if iterations < 1 or an_epoch < 1:
        raise ConfigError(
            f'--epochs {epochs} of {images} images in steps of {step} leaves nothing '
            'to train: raise it, or lower train_dataloader.batch_size'
        )
    factor = iterations / cfg.train_cfg.max_iters
    for scheduler in cfg.param_scheduler:
        for name in ('begin', 'end', 'T_max'):
            if name in scheduler:
                scheduler[name] = max(round(scheduler[name] * factor), name != 'begin')
    cfg.train_cfg.update(max_iters=iterations, val_interval=an_epoch)
    cfg.default_hooks.checkpoint.interval = an_epoch
