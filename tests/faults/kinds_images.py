"""Damaged images and label maps, on every way into the network."""

import io
from pathlib import Path
from random import Random

import numpy as np
from contract import Case, Place
from mutator import mutate_bytes, repair_png, resize_header
from PIL import Image
from registry import kind
from stock import Stock
from tool_call import tool_call, without_weights

SOUND_LABELS = ('grey.png: sound', 'palette.png: sound', 'deep.png: sound')
SUFFIXES = ('.png', '.jpg', '.bmp', '.tiff', '.webp', '.txt', '')


def damaged_image(
    files: dict[str, bytes], rng: Random, place: Place, folder: str = ''
) -> tuple[Path, str, bool]:
    """Write a damaged one of ``files``; return path, what was done, whether sound."""
    name = rng.choice(sorted(files))
    data, way = files[name], rng.randrange(10)
    note, suffix = 'sound', Path(name).suffix
    if way == 0:
        data, note = resize_header(data, rng), 'resize_header'
    elif way == 1:
        suffix, note = rng.choice(SUFFIXES), 'other suffix'
    elif way < 9:
        data, note = mutate_bytes(data, rng)
        if rng.random() < 0.4:
            data, note = repair_png(data), note + '+repaired'
    path = place.write(f'{folder}{Path(name).stem}{suffix}', data)
    return path, f'{name}: {note}', note == 'sound'


@kind('image read', share=26)
def image_read(rng: Random, place: Place, stock: Stock) -> Case:
    """`read_image` of a damaged image."""
    from sctnet.datasets.images import read_image

    path, note, sound = damaged_image(stock.images, rng, place)

    def call() -> None:
        image = read_image(path)
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3

    return Case(call, note, sound=sound)


@kind('image segmented', share=5)
def image_segmented(rng: Random, place: Place, stock: Stock) -> Case:
    """`inference_model` of a damaged image, or of an array of another kind."""
    from sctnet.apis import inference_model

    model = stock.model
    if rng.random() < 0.3:
        shape = [rng.choice((0, 1, 3, 4, 63, 64, 65)) for _ in range(rng.randint(0, 4))]
        kinds = ('uint8', 'uint16', 'int8', 'float32', 'bool', 'object', 'U3', 'M8[s]')
        image: object = np.zeros(shape, rng.choice(kinds))
        if rng.random() < 0.2:
            image = rng.choice([None, 3, b'x', {}, [], [None], [[image]], 1.5, set()])
        return Case(lambda: inference_model(model, image), f'array {shape}')
    path, note, sound = damaged_image(stock.images, rng, place)

    def call() -> None:
        result = inference_model(model, path)
        assert result.pred_sem_seg.data.ndim == 3

    return Case(call, note, sound=sound)


@kind('image tool', share=8)
def image_tool(rng: Random, place: Place, stock: Stock) -> Case:
    """`sctnet infer` on a damaged image, or on a folder of them."""
    model, notes = stock.model, []
    for i in range(rng.choice((1, 1, 1, 3))):
        path, note, _ = damaged_image(stock.images, rng, place, f'{i}/' * (i > 0))
        notes.append(note)
    if len(notes) > 1:
        for file in [p for p in place.inputs.rglob('*') if p.is_file()]:
            file.rename(place.inputs / f'{file.parent.name}{file.name}')
        path = place.inputs
    words = [path, '--checkpoint', 'x.pth', '--config', 'x', '--out-dir', 'results']
    call = tool_call('infer', *words, stubs=without_weights(model))
    return Case(call, '; '.join(notes), tool=True)


@kind('label map', share=13)
def label_map(rng: Random, place: Place, stock: Stock) -> Case:
    """A damaged label map, or its image, on the way of training and validation."""
    split = rng.choice(('train', 'val'))
    images = {'a.png': stock.images['colour.png']}
    sound = True
    stem = f'{split}/city/a'
    if rng.random() < 0.15:
        path, note, sound = damaged_image(stock.images, rng, place)
        data = path.read_bytes()
        path.unlink()
        place.write(f'leftImg8bit/{stem}_leftImg8bit.png', data)
        labels = stock.labels['grey.png']
    else:
        place.write(f'leftImg8bit/{stem}_leftImg8bit.png', images['a.png'])
        labels, note = _damaged_labels(stock, rng)
    place.write(f'gtFine/{stem}_gtFine_labelTrainIds.png', labels)

    def call() -> None:
        _load_sample(stock, place, split)

    return Case(call, f'{split} {note}', sound=sound and note in SOUND_LABELS)


def _damaged_labels(stock: Stock, rng: Random) -> tuple[bytes, str]:
    name = rng.choice(sorted(stock.labels))
    data, way = stock.labels[name], rng.randrange(8)
    if way == 7:
        return data, f'{name}: sound'
    if way == 0:
        return resize_header(data, rng), f'{name}: resize_header'
    if way == 1:  # a sound PNG with labels or a size that do not fit
        size = rng.choice(((96, 80), (80, 96), (1, 1), (95, 80)))
        values = np.full(size[::-1], rng.choice((0, 18, 19, 254, 255)), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(values).save(buffer, 'PNG')
        return buffer.getvalue(), f'{name}: {size} of {values[0, 0]}'
    if way == 2:
        other = rng.choice(sorted(stock.images))
        return stock.images[other], f'labels are {other}'
    data, note = mutate_bytes(data, rng)
    if rng.random() < 0.6:
        data, note = repair_png(data), note + '+repaired'
    return data, f'{name}: {note}'


def _load_sample(stock: Stock, place: Place, split: str) -> None:
    """Load as the Runner's loaders do, and check labels as the loss does."""
    import copy

    from sctnet.datasets.check_labels import check_samples
    from sctnet.engine.seeded_dataset import SeededDataset

    dataset = copy.deepcopy(stock.config[f'{split}_dataloader'].dataset)
    dataset.data_root = str(place.inputs)
    packed = SeededDataset(dataset)[0]
    sample = packed['data_samples']
    labels = sample.gt_sem_seg.data
    assert labels.ndim == 3, labels.shape
    if split == 'train':
        assert labels.shape[1:] == packed['inputs'].shape[1:]
    else:  # the metric compares with a prediction of the image's own size
        assert tuple(labels.shape[1:]) == tuple(sample.ori_shape)
    check_samples([sample], 19, 255)
