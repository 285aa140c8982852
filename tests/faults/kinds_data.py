"""Data sets of one's own, damaged: checked, and converted from other formats."""

import json
from pathlib import Path
from random import Random
from typing import Any

from contract import Case, Place
from kinds_images import damaged_image
from mutator import mutate_text
from own_folder import write_config
from registry import kind
from stock import Stock
from tool_call import tool_call

Words = list[Any]
Stubs = dict[str, Any]
SQUARE = [[8, 8], [60, 8], [60, 50], [8, 50]]


def own_folder(place: Place, stock: Stock) -> Path:
    """Write two sound pairs of each part."""
    for part in ('train', 'val'):
        for number in range(2):
            image, labels = stock.images['colour.png'], stock.labels['grey.png']
            place.write(f'rooms/images/{part}/{number}.png', image)
            place.write(f'rooms/labels/{part}/{number}.png', labels)
    return place.inputs / 'rooms'


def check(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    """Words for the checker of a sound folder."""
    classes = tuple(f'class {i}' for i in range(19))
    config = place.inputs / 'mine.py'
    write_config(config, own_folder(place, stock), classes=classes)
    words = [config, '--workers', '1', '--html', 'page']
    return [*words, '--json', 'figures', *rng.choice([[], ['--strict']])], {}


def coco(place: Place, stock: Stock) -> tuple[Words, str, str]:
    """Images with one polygon each; words, the annotation's name and its text."""
    names = [f'{number}.png' for number in range(2)]
    for name in names:
        place.write(f'coco/{name}', stock.images['colour.png'])
    flat = [value for point in SQUARE for value in point]
    box = {'category_id': 3, 'iscrowd': 0, 'area': 2184, 'bbox': [8, 8, 52, 42]}
    text = {
        'images': [
            {'id': i, 'file_name': name, 'width': 96, 'height': 80}
            for i, name in enumerate(names)
        ],
        'categories': [{'id': 3, 'name': 'box'}, {'id': 7, 'name': 'ball'}],
        'annotations': [
            {'id': i, 'image_id': i, 'segmentation': [flat], **box} for i in range(2)
        ],
    }
    source = place.inputs / 'coco.json'
    return (
        ['coco', source, 'out', '--images', place.inputs / 'coco'],
        'coco.json',
        (json.dumps(text)),
    )


def labelme(place: Place, stock: Stock) -> tuple[Words, str, str]:
    """An image with a polygon, as labelme writes it."""
    place.write('labelme/0.png', stock.images['colour.png'])
    shape = {'label': 'box', 'shape_type': 'polygon', 'points': SQUARE, 'flags': {}}
    text = {'version': '5', 'shapes': [shape], 'imagePath': '0.png', 'imageData': None}
    text.update(imageWidth=96, imageHeight=80)
    return (
        ['labelme', place.inputs / 'labelme', 'out'],
        'labelme/0.json',
        (json.dumps(text)),
    )


def colours(place: Place, stock: Stock) -> tuple[Words, str, str]:
    """Images, colour masks, and the list of their colours."""
    for number in range(2):
        place.write(f'images/{number}.png', stock.images['colour.png'])
        place.write(f'masks/{number}.png', stock.labels['colour.png'])
    words = ['colours', place.inputs / 'images', 'out', '--masks']
    words += [place.inputs / 'masks', '--colours', place.inputs / 'colours.txt']
    lines = [f'class {i},{i},{i},{i}' for i in range(19)] + ['ignore,255,255,255']
    return words, 'colours.txt', '\n'.join(lines)


def convert(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    """Words for the converter of a sound source."""
    words, name, text = rng.choice((coco, labelme, colours))(place, stock)
    place.write(name, text)
    return [
        *words,
        '--workers',
        '0',
        *rng.choice([[], ['--link'], ['--val', '0.5']]),
    ], {}


@kind('data set checked', share=3)
def data_set_checked(rng: Random, place: Place, stock: Stock) -> Case:
    """`sctnet check` on a folder with a damaged image or label map."""
    words, stubs = check(rng, place, stock)
    files, folder = rng.choice(
        ((stock.images, 'rooms/images/train/'), (stock.labels, 'rooms/labels/val/'))
    )
    path, note, _ = damaged_image(files, rng, place, folder)
    if rng.random() < 0.7:  # in the place of a sound one, whatever its format
        name = folder + '0.png'
        place.write(name, path.read_bytes())
        if path != place.inputs / name:
            path.unlink()
    return Case(tool_call('check', *words, stubs=stubs), note, tool=True)


@kind('data set converted', share=4)
def data_set_converted(rng: Random, place: Place, stock: Stock) -> Case:
    """`sctnet convert` on a damaged annotation or image."""
    words, name, text = rng.choice((coco, labelme, colours))(place, stock)
    note = f'{words[0]}: image'
    if rng.random() < 0.75:
        text, what = mutate_text(text, rng)
        note = f'{words[0]}: {what}'
    else:
        folder = {'coco': 'coco/', 'labelme': 'labelme/', 'colours': 'masks/'}[words[0]]
        path, what, _ = damaged_image(stock.images, rng, place, folder)
        place.write(folder + '0.png', path.read_bytes())
    place.write(name, text)
    words += ['--workers', '0']
    call = tool_call('convert', *words)
    return Case(call, note, tool=True)
