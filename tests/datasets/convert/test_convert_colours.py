"""Colour-coded masks to label maps."""

import re

import cv2
import numpy as np
import pytest
from conversion_sources import (
    HEIGHT,
    LARGE,
    SIZE,
    SMALL,
    WIDTH,
    broken_picture,
    expected,
    labels_of,
    made,
    picture,
)  # fmt: skip
from PIL import Image

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.formats.colours import read_colour_list
from sctnet.errors import ArgumentError, DataError

same = np.testing.assert_array_equal
BACK, ROAD, SKY, VOID = (0, 0, 0), (128, 64, 128), (70, 130, 181), (1, 2, 3)
LIST = 'back,0,0,0\nroad,128,64,128\nsky,70,130,181\nignore,1,2,3\n'


def mask_image():
    """Background, a road, a sky over it, and a corner to ignore; RGB."""
    mask = np.zeros((*SIZE, 3), np.uint8)
    mask[LARGE], mask[SMALL], mask[:4, :4] = ROAD, SKY, VOID
    return mask


MASK = Image.fromarray(mask_image())
DRAWN = expected((LARGE, 1), (SMALL, 2), ((slice(0, 4), slice(0, 4)), 255))


def palette_image():
    """The same with 8-bit indices that are no class indices."""
    indices = np.full(SIZE, 40, np.uint8)
    indices[LARGE], indices[SMALL], indices[:4, :4] = 7, 3, 200
    image = Image.fromarray(indices, 'P')
    colours = np.zeros((256, 3), np.uint8)
    colours[7], colours[3], colours[200] = ROAD, SKY, VOID
    image.putpalette(colours.tobytes())
    return image


def rgba_image(alpha):
    opaque = np.full((*SIZE, 1), alpha, np.uint8)
    return Image.fromarray(np.concatenate([mask_image(), opaque], axis=2))


@pytest.fixture
def run(tmp_path):
    """A function that converts the images and masks below ``tmp_path``."""
    picture(tmp_path / 'images' / 'a.jpg')
    (tmp_path / 'masks').mkdir()
    (tmp_path / 'colours.txt').write_text(LIST)

    def convert_source(out='out', **options):
        given = {
            'colours': tmp_path / 'colours.txt',
            'masks': tmp_path / 'masks',
            **options,
        }
        return convert(
            'colours', tmp_path / 'images', tmp_path / out, workers=0, val=0, **given
        )

    return convert_source


@pytest.mark.parametrize(
    ('image', 'suffix', 'options'),
    [
        (MASK, 'png', {}),
        (MASK, 'bmp', {}),
        (MASK, 'tif', {}),
        (palette_image(), 'png', {}),
        (palette_image(), 'png', {'transparency': 7}),
        (palette_image(), 'gif', {}),
        (rgba_image(255), 'png', {}),
        (rgba_image(0), 'png', {}),
    ],
)
def test_colours_become_their_classes(run, tmp_path, image, suffix, options):
    image.save(tmp_path / f'masks/a.{suffix}', **options)
    result = run()
    assert result.classes == ('back', 'road', 'sky')
    assert result.palette == [list(BACK), list(ROAD), list(SKY)]
    same(labels_of(tmp_path / 'out', 'a'), DRAWN)


def test_grey_masks_are_colours_too_and_a_class_may_have_two(run, tmp_path):
    cv2.imwrite(str(tmp_path / 'masks/a.png'), expected((LARGE, 9), (SMALL, 200)))
    file = tmp_path / 'grey.csv'
    file.write_text('name,R,G,B\n# dark\nx,0,0,0\n\ny,9,9,9\nz,200,200,200')
    run(colours=str(file))
    same(labels_of(tmp_path / 'out', 'a'), expected((LARGE, 1), (SMALL, 2)))
    file.write_text('back,0,0,0\nother,9,9,9\nother,200,200,200\nback,1,2,3\n')
    assert run('two', colours=file).classes == ('back', 'other')
    same(labels_of(tmp_path / 'two', 'a'), expected((LARGE, 1), (SMALL, 1)))


@pytest.mark.parametrize(
    ('name', 'text', 'message'),
    [
        ('l.txt', 'a,0,0,0\nb,0,0', "has 'b,0,0': expected a name"),
        ('l.txt', 'a,0,0,0\nb,0,0,256', "has 'b,0,0,256'"),
        ('l.txt', 'a,0,0,0\n,1,1,1', "has ',1,1,1'"),
        ('l.txt', 'a,0,0,0\nb,0,0,0', "to 'a' and to 'b'"),
        ('l.txt', '', r"l\.txt' has no colour: list the classes, such as road,128"),
        ('l.json', '[[0, 0]]', r"l\.json' holds a list: .* such as {\"road\": \[128"),
        ('l.json', '{"b": "red"}', r"has 'b: red': expected .* such as {\"road\": \["),
        ('l.json', '{"b": [1, 2, 1e999]}', r"has 'b: \[1, 2, inf\]': expected"),
        ('l.json', '{"b": [0.2, 0.9, 0.9]}', r"has 'b: \[0.2, 0.9, 0.9\]': expected"),
        ('l.json', '{"b": "123"}', "has 'b: 123': expected"),
        ('l.json', '{"b": [true, 1, 1]}', 'expected a name and three numbers'),
        ('l.txt', 'a,0,0,0\n"b,1,1,1\nc,2,2,2', "has '\"b,1,1,1': expected a name"),
        ('l.txt', 'a,0,0,0\nb,1.5,1,1', "has 'b,1.5,1,1': expected a name"),
        ('l.json', '{}', r"l\.json' has no colour: .* {\"road\": \[128"),
    ],
)
def test_a_wrong_list_shows_how_one_looks(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_colour_list(tmp_path / name)


def test_names_keep_their_order_whatever_the_form_of_the_list(tmp_path):
    (tmp_path / 'list.json').write_text('{"sky": [1, 2, 3], "box": [0, 0, 255]}')
    text = 'Name,R,G,B\nsky,1,2,3  # blue\n# ours\n\nbox,0,0,255\n'
    (tmp_path / 'list.txt').write_text(text, encoding='utf-8-sig')
    expected = [('sky', (1, 2, 3)), ('box', (0, 0, 255))]
    assert read_colour_list(tmp_path / 'list.json') == expected
    assert read_colour_list(tmp_path / 'list.txt') == expected
    with pytest.raises(DataError, match='cannot be read'):
        read_colour_list(tmp_path / 'nowhere.txt')


def test_unknown_colours_are_named_with_file_and_count_or_ignored(run, tmp_path):
    picture(tmp_path / 'images/b.jpg', 1)
    MASK.save(tmp_path / 'masks/b.png')
    mask = mask_image()
    mask[60:64, :10] = (5, 6, 7)
    Image.fromarray(mask).save(tmp_path / 'masks/a.png')
    (failure,) = run().failed
    assert "a.png' has colours that are not listed (1), (5, 6, 7) in 40 pix" in failure
    assert made(tmp_path / 'out') == [
        'dataset.json', 'images/train/b.jpg', 'labels/train/b.png',
    ]  # fmt: skip
    result = run('ignored', unknown='ignore')
    assert not result.failed
    assert result.skipped == {'pixels of unknown colour, now 255': 40}
    drawn = DRAWN.copy()
    drawn[60:64, :10] = 255
    same(labels_of(tmp_path / 'ignored', 'a'), drawn)
    with pytest.raises(ArgumentError, match='expected "error" or "ignore"'):
        run('new', unknown='guess')


@pytest.mark.parametrize(
    ('name', 'kind', 'options'),
    [
        ('a.jpg', 'JPEG', {}),
        ('a.png', 'JPEG', {}),
        ('a.webp', 'WEBP', {}),
        ('a.tif', 'TIFF', {'compression': 'jpeg'}),
    ],
)
def test_jpeg_masks_are_broken_whatever_their_name(run, tmp_path, name, kind, options):
    MASK.save(tmp_path / 'masks' / name, kind, **options)
    with pytest.raises(DataError, match=f'{name}.* changes colours at every edge'):
        run()
    assert not (tmp_path / 'out').exists()
    picture(tmp_path / 'images/b.jpg')
    MASK.save(tmp_path / 'masks/b.png')
    assert len(run().failed) == 1


def test_a_tolerance_takes_the_nearest_colour_of_smeared_masks(run, tmp_path):
    soft = mask_image().astype(int)
    soft[20, 20:60] += (3, -4, 0)  # 5 away
    soft[21, 20:60] += (0, 0, 40)
    Image.fromarray(soft.astype(np.uint8)).save(tmp_path / 'masks/a.png')
    near = 'pixels that got the class of the nearest colour'
    with pytest.raises(DataError, match='--tolerance 100'):
        run()
    with pytest.raises(DataError, match=r'in 40 pixels.*--tolerance 100'):
        run(tolerance=5)
    soft[22, 20:60] = 250, 0, 250
    Image.fromarray(soft.astype(np.uint8)).save(tmp_path / 'masks/a.png')
    with pytest.raises(DataError) as caught:
        run(tolerance=100)
    (advised,) = re.findall('--tolerance ([0-9]+)', str(caught.value))
    run('advised', tolerance=float(advised))
    soft[22] = mask_image()[22]
    Image.fromarray(soft.astype(np.uint8)).save(tmp_path / 'masks/a.png')
    result = run('beyond', tolerance=5, unknown='ignore')
    assert result.skipped == {near: 40, 'pixels of unknown colour, now 255': 40}
    assert run('all', tolerance=60).skipped == {near: 80}
    same(labels_of(tmp_path / 'all', 'a'), DRAWN)
    with pytest.raises(ArgumentError, match='--tolerance is -1'):
        run('new', tolerance=-1)


@pytest.mark.parametrize('kind', ['JPEG', 'WEBP'])
def test_with_a_tolerance_lossy_masks_are_taken(run, tmp_path, kind):
    mask = mask_image()
    mask[:4, :4] = BACK
    mask = Image.fromarray(mask)
    (tmp_path / 'colours.txt').write_text(LIST.replace('ignore,1,2,3\n', ''))
    mask.save(tmp_path / f'masks/a.{kind.lower()}', kind, quality=90)
    result = run(tolerance=200)
    assert result.skipped
    drawn = labels_of(tmp_path / 'out', 'a')
    assert (drawn != np.where(DRAWN == 255, 0, DRAWN)).mean() < 0.02


def test_masks_may_have_a_suffix_and_lie_beside_their_images(run, tmp_path):
    MASK.save(tmp_path / 'images/a_L.png')
    cv2.imwrite(str(tmp_path / 'images/a_L.jpg'), mask_image())  # the PNG is taken
    assert run(masks=None).skipped == {'masks without an image': 1}
    run('named', masks=tmp_path / 'images')
    same(labels_of(tmp_path / 'out', 'a'), DRAWN)


def test_broken_images_and_masks_among_good_ones_are_named(run, tmp_path):
    for name in 'abcde':
        picture(tmp_path / f'images/{name}.jpg')
        MASK.save(tmp_path / f'masks/{name}.png')
    broken_picture(tmp_path / 'images/b.jpg')
    cut = (tmp_path / 'masks/c.png').read_bytes()
    (tmp_path / 'masks/c.png').write_bytes(cut[: len(cut) // 2])
    Image.new('RGB', (HEIGHT, WIDTH)).save(tmp_path / 'masks/d.png')
    Image.new('I;16', (WIDTH, HEIGHT)).save(tmp_path / 'masks/e.png')
    result = run()
    assert result.images == {'train': 1}
    assert len(result.failed) == 4
    text = '\n'.join(result.failed)
    for reason in (
        "b.jpg' is truncated",
        "c.png' cannot be read",
        "d.jpg' has 96x72 pixels and its label map 72x96",
        "e.png' has pixels of kind I;16",
    ):
        assert reason in text
