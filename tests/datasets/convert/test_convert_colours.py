"""Colour-coded masks to label maps."""

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
from sctnet.errors import ArgumentError, DataError

BACK, ROAD, SKY, VOID = (0, 0, 0), (128, 64, 128), (70, 130, 181), (1, 2, 3)
LIST = 'back,0,0,0\nroad,128,64,128\nsky,70,130,181\nignore,1,2,3\n'


def mask_image():
    """Background, a road, a sky over it, and a corner to ignore; RGB."""
    mask = np.zeros((*SIZE, 3), np.uint8)
    mask[LARGE], mask[SMALL], mask[:4, :4] = ROAD, SKY, VOID
    return mask


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


def rgba_image(alpha=255):
    opaque = np.full((*SIZE, 1), alpha, np.uint8)
    return Image.fromarray(np.concatenate([mask_image(), opaque], axis=2))


@pytest.fixture
def run(tmp_path):
    """A function that converts the images and masks below ``tmp_path``."""
    picture(tmp_path / 'images' / 'a.jpg')
    (tmp_path / 'masks').mkdir()
    (tmp_path / 'colours.txt').write_text(LIST)

    def convert_source(out='out', val=0.0, **options):
        options.setdefault('colours', tmp_path / 'colours.txt')
        return convert(
            'colours', tmp_path / 'images', tmp_path / out, workers=0, val=val,
            masks=tmp_path / 'masks', **options,
        )  # fmt: skip

    return convert_source


@pytest.mark.parametrize(
    ('image', 'suffix'),
    [
        (Image.fromarray(mask_image()), 'png'),
        (Image.fromarray(mask_image()), 'bmp'),
        (Image.fromarray(mask_image()), 'tif'),
        (palette_image(), 'png'),
        (palette_image(), 'gif'),
        (rgba_image(), 'png'),
        (rgba_image(alpha=0), 'png'),
    ],
)
def test_colours_become_their_classes(run, tmp_path, image, suffix):
    image.save(tmp_path / 'masks' / f'a.{suffix}')
    result = run()
    assert result.classes == ('back', 'road', 'sky')
    assert result.palette == [list(BACK), list(ROAD), list(SKY)]
    np.testing.assert_array_equal(labels_of(tmp_path / 'out', 'a'), DRAWN)


def test_a_palette_with_a_transparent_colour_is_read(run, tmp_path):
    palette_image().save(tmp_path / 'masks' / 'a.png', transparency=7)
    run()
    np.testing.assert_array_equal(labels_of(tmp_path / 'out', 'a'), DRAWN)


def test_grey_masks_are_colours_too(run, tmp_path):
    grey = expected((LARGE, 9), (SMALL, 200))
    cv2.imwrite(str(tmp_path / 'masks/a.png'), grey)
    (tmp_path / 'grey.csv').write_text(
        'name,R,G,B\n# dark\nx,0,0,0\n\ny,9,9,9\nz,200,200,200'
    )
    run(colours=tmp_path / 'grey.csv')
    labels = labels_of(tmp_path / 'out', 'a')
    np.testing.assert_array_equal(labels, expected((LARGE, 1), (SMALL, 2)))


def test_a_class_may_have_two_colours_and_the_list_may_be_json(run, tmp_path):
    Image.fromarray(mask_image()).save(tmp_path / 'masks/a.png')
    file = tmp_path / 'two.txt'
    file.write_text('back,0,0,0\nother,128,64,128\nother,70,130,181\nback,1,2,3\n')
    assert run('out1', colours=file).classes == ('back', 'other')
    both = expected((LARGE, 1), (SMALL, 1))
    np.testing.assert_array_equal(labels_of(tmp_path / 'out1', 'a'), both)
    file = tmp_path / 'list.json'
    file.write_text(
        '{"sky": [70, 130, 181], "road": [128, 64, 128], "back": [0, 0, 0],'
        ' "ignore": [1, 2, 3]}'
    )
    assert run('out2', colours=file).classes == ('sky', 'road', 'back')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a,0,0,0\nb,0,0', "has 'b,0,0': expected a name"),
        ('a,0,0,0\nb,0,0,256', "has 'b,0,0,256'"),
        ('a,0,0,0\n,1,1,1', "has ',1,1,1'"),
        ('a,0,0,0\nb,0,0,0', "to 'a' and to 'b'"),
        ('a,0,0,0', 'has 1 classes in all: .* at least two'),
        ('', r"colours\.txt' has no colour: list the classes, such as road,128"),
    ],
)
def test_a_wrong_list_is_one_sentence(run, tmp_path, text, message):
    (tmp_path / 'colours.txt').write_text(text)
    Image.fromarray(mask_image()).save(tmp_path / 'masks/a.png')
    with pytest.raises(DataError, match=message):
        run()
    with pytest.raises(DataError, match='cannot be read'):
        run(colours=tmp_path / 'nowhere.txt')


def test_unknown_colours_are_named_with_file_and_count_or_ignored(run, tmp_path):
    picture(tmp_path / 'images/b.jpg', 1)
    Image.fromarray(mask_image()).save(tmp_path / 'masks/b.png')
    mask = mask_image()
    mask[60:64, :10] = (5, 6, 7)
    Image.fromarray(mask).save(tmp_path / 'masks/a.png')
    result = run()
    (failure,) = result.failed
    assert 'a.png' in failure
    assert (
        'has colours that are not listed (1), (5, 6, 7) in 40 pixels: add them'
        in failure
    )
    assert made(tmp_path / 'out') == [
        'dataset.json', 'images/train/b.jpg', 'labels/train/b.png',
    ]  # fmt: skip
    result = run('ignored', unknown='ignore')
    assert not result.failed
    assert result.skipped == {'pixels of unknown colour, now 255': 40}
    drawn = DRAWN.copy()
    drawn[60:64, :10] = 255
    np.testing.assert_array_equal(labels_of(tmp_path / 'ignored', 'a'), drawn)
    with pytest.raises(ArgumentError, match='expected "error" or "ignore"'):
        run('new', unknown='guess')


def test_jpeg_masks_are_refused_whatever_their_name(run, tmp_path):
    masks = tmp_path / 'masks'
    cv2.imwrite(str(masks / 'a.jpg'), mask_image())
    with pytest.raises(DataError, match=r'a\.jpg.* changes colours at every edge'):
        run()
    assert not (tmp_path / 'out').exists()
    (masks / 'a.jpg').rename(masks / 'a.png')
    with pytest.raises(DataError, match=r'a\.png.* changes colours at every edge'):
        run()


def test_a_png_beside_a_jpeg_mask_is_taken(run, tmp_path):
    cv2.imwrite(str(tmp_path / 'masks/a.jpg'), mask_image())
    Image.fromarray(mask_image()).save(tmp_path / 'masks/a.png')
    run()
    np.testing.assert_array_equal(labels_of(tmp_path / 'out', 'a'), DRAWN)


def test_masks_may_have_a_suffix_and_lie_beside_their_images(tmp_path):
    picture(tmp_path / 'both/a.png')
    Image.fromarray(mask_image()).save(tmp_path / 'both/a_L.png')
    (tmp_path / 'colours.txt').write_text(LIST)
    result = convert(
        'colours', tmp_path / 'both', tmp_path / 'out', workers=0, val=0,
        masks=tmp_path / 'both', colours=tmp_path / 'colours.txt', mask_suffix='_L',
    )  # fmt: skip
    assert result.skipped == {'images without a mask': 1}  # the mask itself
    assert result.examples == {'images without a mask': str(tmp_path / 'both/a_L.png')}
    np.testing.assert_array_equal(labels_of(tmp_path / 'out', 'a'), DRAWN)


def test_equal_names_of_two_folders_and_two_kinds_keep_apart(run, tmp_path):
    for name in ('a', 'north/a', 'south/a'):
        (tmp_path / 'masks' / name).parent.mkdir(exist_ok=True)
        Image.fromarray(mask_image()).save(tmp_path / 'masks' / f'{name}.png')
        picture(tmp_path / 'images' / f'{name}.jpg', len(name))
    picture(tmp_path / 'images/a.png', 7)
    run()
    names = {path for path in made(tmp_path / 'out') if path.startswith('images')}
    assert names == {
        'images/train/a_jpg.jpg', 'images/train/a_png.png',
        'images/train/north/a.jpg', 'images/train/south/a.jpg',
    }  # fmt: skip
    for name in names:
        source = (
            name.removeprefix('images/train/').replace('_jpg', '').replace('_png', '')
        )
        assert (tmp_path / 'out' / name).read_bytes() == (
            tmp_path / 'images' / source
        ).read_bytes()


def test_broken_images_and_masks_among_good_ones_are_named(run, tmp_path):
    good = Image.fromarray(mask_image())
    for name in 'abcde':
        picture(tmp_path / f'images/{name}.jpg')
        good.save(tmp_path / f'masks/{name}.png')
    broken_picture(tmp_path / 'images/b.jpg')
    cut = (tmp_path / 'masks/c.png').read_bytes()
    (tmp_path / 'masks/c.png').write_bytes(cut[: len(cut) // 2])
    Image.new('RGB', (HEIGHT, WIDTH)).save(tmp_path / 'masks/d.png')
    Image.new('I;16', (WIDTH, HEIGHT)).save(tmp_path / 'masks/e.png')
    result = run()
    assert result.images == {'train': 1}
    told = dict(
        zip(
            'bcde',
            sorted(result.failed, key=lambda t: t[t.index('.') - 1]),
            strict=True,
        )
    )
    text = '\n'.join(result.failed)
    assert "b.jpg' is truncated" in text
    assert "c.png' cannot be read" in text
    assert 'has 96x72 pixels and its label map 72x96' in text
    assert 'has pixels of kind I;16' in text
    assert len(told) == 4
