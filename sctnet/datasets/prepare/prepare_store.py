"""Writing the decoded images and label maps of a config's data sets to a store."""

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope

from ...compat.config_types import kind_of
from ...errors import ConfigError, DataError
from ...files import check_writable
from ..faster_loader import FROM_STORE, can_crop_first, undo_faster_loader
from ..from_config import LOADERS, datasets_of
from ..images import claimed_size
from ..listing import build_dataset, list_files
from ..parallel import run_all
from ..store.index import append_to_index, key_of, read_index
from .archives import check_space
from .store_files import Pair, SourceFile, find_reader, store_pair


@dataclass
class Plan:
    """What is to be stored.

    Attributes:
        folder: of the store.
        pairs: images with their label maps that are not in it, or have changed since.
        kept: how many pairs are in it, whole.
        needed: bytes that ``pairs`` will take, nearly.
    """

    folder: Path
    pairs: list[Pair]
    kept: int
    needed: int


@dataclass
class Stored:
    """What was done.

    Attributes:
        written: how many pairs are new.
        failed: each broken file, with what is wrong.
    """

    written: int = 0
    failed: list[str] = field(default_factory=list)


def plan_store(
    cfg: Config,
    folder: Path,
    parts: Iterable[str] = ('train',),
    workers: int | None = None,
) -> Plan:
    """List what ``cfg`` reads, and how much room it takes when it is decoded.

    Args:
        cfg: a config; its own transforms say how files are decoded. A store that it
            reads is taken out of it.
        folder: of the store; what is there stays.
        parts: of ``train``, ``val`` and ``test``.
        workers: threads; 0 works in this one, None takes one a core.

    Raises:
        ConfigError: a data set cannot be listed, or does not begin by loading images.
        DataError: its folder is not there, or two files would have one place.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    undo_faster_loader(cfg)
    pairs: dict[str, Pair] = {}
    for dataset in datasets_of(cfg, [LOADERS[part] for part in parts]):
        for pair in _list_pairs(dataset):
            _check_place(pairs.setdefault(pair[0].key, pair), pair)
    if not pairs:
        raise DataError(f'{", ".join(parts)} of the config has no image: see its data')
    entries = read_index(folder)
    todo = [
        pair
        for pair in pairs.values()
        if not all(file.is_stored(folder, entries) for file in pair)
    ]
    return Plan(folder, todo, len(pairs) - len(todo), _room(todo, workers))


def write_store(
    plan: Plan,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Stored:
    """Decode and write what ``plan`` lists, each file whole or not at all.

    Args:
        plan: by :func:`plan_store`.
        workers: threads; 0 works in this one, None takes one a core.
        progress: called as progress(done, total) after every pair.

    Raises:
        OutputError: the disk has not the room, or cannot be written.
    """
    check_space(plan.folder, plan.needed, 'the store')
    check_writable(plan.folder, '--out')
    result = Stored()
    work = partial(store_pair, plan.folder)
    with closing(run_all(work, plan.pairs, workers)) as outcomes:
        for done, (pair, entries) in enumerate(outcomes, 1):
            if isinstance(entries, Exception):
                raise entries
            append_to_index(plan.folder, entries)
            faults = {f.path: entries[f.key].fault for f in pair if f.key in entries}
            broken = [f"'{path}' ({x})" for path, x in faults.items() if x]
            result.failed += broken
            result.written += not broken
            if progress is not None:
                progress(done, len(plan.pairs))
    return result


def lines_to_use_it(
    cfg: Config, config: str, folder: Path, parts: Iterable[str], data_root: str | None
) -> str:
    """Return how the store of a config, called ``config``, is used.

    In a config, and on the command line; the crop comes first where that applies.
    """
    values: dict[str, Any] = {'store': str(folder)}
    if can_crop_first(cfg):
        values['crop_first'] = True
    if [*parts] != ['train']:
        values['parts'] = [*parts]
    inside = ', '.join(f'{key}={value!r}' for key, value in values.items())
    lines = ['To train from it, in a config:', f'  faster_loader = dict({inside})']
    if not set(str(folder)) & set(' ,()[]'):  # of which mmengine makes something else
        words = [config, *(['--data-root', data_root] if data_root else [])]
        words += ['--cfg-options', *map(_option, values, values.values())]
        lines += ['or on the command line:', f'  sctnet train {shlex.join(words)}']
    return '\n'.join(lines)


def _option(key: str, value: Any) -> str:
    text = ','.join(value) if isinstance(value, list) else value
    return f'faster_loader.{key}={text}'


def _list_pairs(config: ConfigDict) -> Iterator[Pair]:
    image, labels = (find_reader(config, kind) for kind in FROM_STORE)
    if image is None:
        kinds = ', '.join(kind_of(step) for step in config.get('pipeline') or ())
        raise ConfigError(
            f'the pipeline of {kind_of(config)} ({kinds}) has no LoadImageFromFile: '
            'train without a store'
        )
    dataset = build_dataset(config, remedy='train without a store')
    root = config.get('data_root')
    for found in list_files(dataset, remedy='train without a store'):
        pair = [SourceFile(found.image, key_of(found.image, root), image)]
        if found.labels is not None and labels is not None:
            pair.append(SourceFile(found.labels, key_of(found.labels, root), labels))
        yield tuple(pair)


def _check_place(first: Pair, second: Pair) -> None:
    """See that what two data sets read of one key is the same."""
    for one, other in zip(first, second, strict=False):
        if key_of(one.path, None) != key_of(other.path, None):
            raise DataError(
                f"'{one.path}' and '{other.path}' would both be '{one.key}' in the "
                'store: give the folders of the two data sets different names'
            )
        if one.reader.name != other.reader.name:
            raise DataError(
                f"'{one.path}' is read by {one.reader.name} and by {other.reader.name}"
                ': name one part at a time with --parts, each with another --out'
            )


def _room(pairs: list[Pair], workers: int | None) -> int:
    """Bytes of all pairs by their headers; bytes a pixel by each reader's first."""
    a_pixel: dict[str, float] = {}
    needed, pixels = 0.0, 0
    sizes = run_all(lambda pair: claimed_size(pair[0].path), pairs, workers)
    for (image, *labels), size in sizes:
        # Where Pillow cannot tell, it is taken to be as large as the one before.
        pixels = size[0] * size[1] if isinstance(size, tuple) else pixels
        if image.reader.name not in a_pixel:
            try:
                loaded = image.decode()
            except Exception:  # will be said when it is stored
                continue
            pixels = loaded.shape[0] * loaded.shape[1]
            a_pixel[image.reader.name] = loaded.nbytes / pixels
        needed += pixels * (a_pixel[image.reader.name] + len(labels))
    return int(needed)
