"""Mapillary Vistas: training and validation, and the classes of its config.json.

Masks are indices into the labels of ``config_v1.2.json`` or ``config_v2.0.json``, in
``training/v1.2/labels`` or, of older ones with ``config.json``, ``training/labels``.
Labels that are not evaluated, such as Unlabeled, become 255.
"""

from functools import partial
from pathlib import Path
from typing import Any

from ....errors import DataError
from ....files import find_files
from ...images import SUFFIXES
from ..annotated_images import IGNORED, ImageFile, Item, Source
from ..annotation_files import keys_in, read_json
from ..class_names import is_palette
from ..coco_json import is_table
from ..names import output_name
from ..recognised import Ask, Recognised
from ..splits import part_of
from .masks import NO_PALETTE, draw_values

SOURCE = 'folder that holds training and config_v1.2.json, or that file'


def read(source: Path) -> Source:
    """List the images of all parts; raises DataError."""
    configs = _find_configs(source) if source.is_dir() else [source]
    if len(configs) != 1:
        listed = ', '.join(config.name for config in configs)
        raise DataError(
            f"'{source}' has {len(configs)} files of labels ({listed}): name the one "
            "itself, such as config_v1.2.json, in that folder's place"
        )
    (config,) = configs
    names, palette, table = _labels(config)
    found = Source(names, palette=palette)
    version = config.stem.rpartition('_')[2]
    for folder in sorted(config.parent.iterdir()):
        part, images = part_of(folder.name), folder / 'images'
        if part is None or not images.is_dir():
            continue
        masks = folder / version / 'labels'
        masks = masks if masks.is_dir() else folder / 'labels'
        for image in find_files(images, SUFFIXES):
            mask = masks / f'{image.stem}.png'
            if not mask.is_file():
                found.leave_out('images without a mask', image)
                continue
            draw = partial(draw_values, table, len(names), NO_PALETTE, mask)
            name = output_name(image.name)
            found.items.append(Item(name, part, ImageFile(image), draw))
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for files of labels, and ask which is meant of several."""
    configs = _find_configs(data)
    if not configs or (data.is_dir() and not (data / 'training').is_dir()):
        return None
    chosen = configs[0]
    if len(configs) > 1:
        names = {path.name: "the labels' version" for path in configs}
        option = f"{chosen} in the folder's place"
        chosen = data / ask(f"Which labels of '{data}' are meant?", names, option)
    said = f"Mapillary Vistas' layout, with the labels of '{chosen.name}'"
    return Recognised('vistas', chosen, said)


def _find_configs(source: Path) -> list[Path]:
    """Return Mapillary's files of labels in a folder, or a file that is one."""
    files = sorted(source.glob('config*')) if source.is_dir() else [source]
    keys = 'labels', 'readable'
    return [
        path
        for path in files
        if path.suffix == '.json' and keys_in(path, *keys) == {*keys}
    ]


def _labels(
    config: Path,
) -> tuple[tuple[str, ...], list[list[int]] | None, dict[int, int]]:
    """Return the names that are evaluated, their colours, and labels by value."""
    rows = read_json(config).get('labels')
    if not is_table(rows) or not all(
        {'readable', 'name'} <= row.keys() for row in rows
    ):
        raise DataError(
            f"'{config}' has no labels with names: expected Mapillary Vistas' "
            'config_v1.2.json or config_v2.0.json'
        )
    evaluated = [n for n, row in enumerate(rows) if row.get('evaluate', True)]
    kept = [rows[value] for value in evaluated]
    names = [str(row['readable']) for row in kept]
    if len(set(names)) < len(names):
        names = [str(row['name']) for row in kept]
    table = dict.fromkeys(range(len(rows)), IGNORED)
    table |= {value: label for label, value in enumerate(evaluated)}
    colours: list[Any] = [row.get('color') for row in kept]
    return tuple(names), colours if is_palette(colours, len(kept)) else None, table
