"""Which data sets a config reads, and by which transform."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from ..compat.config_types import kind_of
from ..errors import ConfigError, DataError

# What reads three colours of 8 bits, BGR; LoadBands reads what is in the file.
PICTURES = ('LoadImageFromFile', 'LoadImageFromStore')
LOADERS = {part: f'{part}_dataloader' for part in ('train', 'val', 'test')}


def datasets_of(
    cfg: Config, loaders: Iterable[str] = tuple(LOADERS.values())
) -> Iterator[ConfigDict]:
    """Yield the config of every data set that ``loaders`` read, inside wrappers too.

    Raises:
        ConfigError: there is something else in the place of a data set's config.
    """
    yield from named_datasets(cfg, loaders).values()


def named_datasets(
    cfg: Config, loaders: Iterable[str] = tuple(LOADERS.values())
) -> dict[str, ConfigDict]:
    """Return place and config of every data set that ``loaders`` read.

    Raises:
        ConfigError: there is something else in the place of a data set's config.
    """
    found: dict[str, ConfigDict] = {}
    pending: list[tuple[str, Any]] = []
    for name in loaders:
        loader = cfg.get(name)
        if loader is not None:
            _check_dict(name, loader)
            pending.append((f'{name}.dataset', loader.get('dataset')))
    while pending:
        place, dataset = pending.pop(0)
        _check_dict(place, dataset)
        inner = dataset.get('dataset') or dataset.get('datasets')
        if isinstance(inner, list | tuple):
            pending += [(f'{place}.datasets.{i}', one) for i, one in enumerate(inner)]
        elif inner:
            pending.append((f'{place}.dataset', inner))
        else:
            found[place] = dataset
    return found


def is_elsewhere(backend_args: Mapping[str, Any] | None, folder: object) -> bool:
    """Whether a data set lies elsewhere than on this disk: in a store, at a URL."""
    backend = (backend_args or {}).get('backend', 'local')
    return backend not in ('local', 'sctnet.atomic') or '://' in str(folder)


def check_list(dataset: ConfigDict, remedy: str = '') -> None:
    """See that the list that a data set's config names is there.

    Raises:
        DataError: it is not; ``remedy`` ends the sentence.
    """
    names = dataset.get('ann_file') or ''
    listed = Path(dataset.get('data_root') or '', names)
    if names and '://' not in names and not listed.exists():
        raise DataError(
            f"there is no list '{listed}': put it there, or correct ann_file{remedy}"
        )


def image_loader(pipeline: Any) -> Mapping[str, Any]:
    """Return the step that reads a pipeline's images, {} without one that is known."""
    for step in steps_of(pipeline):
        if kind_of(step) in ('LoadBands', *PICTURES):
            return step
    return {}


def steps_of(steps: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the steps of a pipeline, and those in a test-time augmentation."""
    for step in steps if isinstance(steps, list | tuple) else ():
        if isinstance(step, Mapping):
            yield step
            yield from steps_of(step.get('transforms'))
        else:
            yield from steps_of(step)


def _check_dict(place: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise ConfigError(f'{place} is {value!r}: set it to a dict')
