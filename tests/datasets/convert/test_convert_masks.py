"""Index masks become label maps, by their values or by a map of them."""

import cv2
import numpy as np
import pytest
from PIL import Image

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.formats.masks import parse_map
from sctnet.errors import ArgumentError, DataError

SIZE = (70, 80)


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def values(*stored, dtype=np.uint8):
    mask = np.zeros(SIZE, dtype)
    for place, value in enumerate(stored):
        mask[10 * place : 10 * place + 10] = value
    return mask


@pytest.fixture
def source(tmp_path):
    def make(mask, names=None, count=3):
        rng = np.random.default_rng(0)
        for n in range(count):
            write(
                tmp_path / f'in/images/{n}.png',
                rng.integers(0, 256, (*SIZE, 3), np.uint8),
            )
            write(tmp_path / f'in/masks/{n}.png', mask)
        if names:
            (tmp_path / 'in/classes.txt').write_text('\n'.join(names))
        return tmp_path / 'in'

    return make


def first_labels(out):
    (path, *_) = sorted(out.glob('labels/*/*.png'))
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_values_are_classes_as_they_are(source, tmp_path, dtype):
    mask = values(0, 1, 2, 255, dtype=dtype)
    result = convert('masks', source(mask, ['a', 'b', 'c']), tmp_path / 'out')
    assert result.classes == ('a', 'b', 'c')
    assert np.array_equal(first_labels(tmp_path / 'out'), mask)
    assert result.pixels[:3].tolist() == [3 * 80 * n for n in (40, 10, 10)]
    assert sum(result.images.values()) == 3


def test_a_map_gives_values_a_meaning(source, tmp_path):
    mask = values(0, 128, 255, 7)
    options = {
        'mapping': '0:0,128:ignore,255:object,7:0',
        'classes': 'background,object',
    }
    convert('masks', source(mask), tmp_path / 'out', **options)
    assert np.array_equal(first_labels(tmp_path / 'out'), values(0, 255, 1, 0))


def test_a_map_of_what_is_to_ignore_leaves_the_rest(source, tmp_path):
    folder = source(values(1, 2, 255), ['a', 'b'])
    convert('masks', folder, tmp_path / 'out', mapping='2:ignore')
    assert np.array_equal(first_labels(tmp_path / 'out'), values(1, 255, 255))
    with pytest.raises(DataError, match=r'has the values \[1\]'):
        convert('masks', folder, tmp_path / 'other', mapping='0:0,2:ignore')


def test_with_a_map_255_is_still_to_ignore(source, tmp_path):
    folder = source(values(0, 128, 255), ['a', 'b'])
    convert('masks', folder, tmp_path / 'out', mapping='0:0,128:1')
    assert np.array_equal(first_labels(tmp_path / 'out'), values(0, 1, 255))


@pytest.mark.parametrize(
    ('mapping', 'classes', 'drawn'),
    [
        ('0:0,1:2,2:1,3:3', 'acbd', (0, 2, 1, 3)),
        ('0:0,1:1,2:ignore,3:2', 'abd', (0, 1, 255, 2)),
        ('0:0,1:1,2:1,3:2', 'abd', (0, 1, 1, 2)),
        ('0:a,1:c,2:b,3:3', 'abcd', (0, 2, 1, 3)),  # named, not numbered
    ],
)
def test_names_in_a_file_follow_a_map(source, tmp_path, mapping, classes, drawn):
    folder = source(values(0, 1, 2, 3), 'abcd')
    result = convert('masks', folder, tmp_path / 'out', mapping=mapping)
    assert ''.join(result.classes) == classes
    assert np.array_equal(first_labels(tmp_path / 'out'), values(*drawn))
    assert bool(result.said) == (classes != 'abcd')


def test_further_masks_of_an_image_are_drawn_together(source, tmp_path):
    folder = source(values(0, 1), 'ab', count=1)
    (folder / 'masks/0.png').rename(folder / 'masks/0_mask.png')
    write(folder / 'masks/0_mask_1.png', values(0, 0, 1))
    result = convert('masks', folder, tmp_path / 'out')
    assert np.array_equal(first_labels(tmp_path / 'out'), values(0, 1, 1))
    assert result.skipped == {'masks of further objects of an image, drawn together': 1}
    write(folder / 'masks/0_mask_1.png', values(0, 0, 2))
    (folder / 'classes.txt').write_text('a\nb\nc')
    with pytest.raises(DataError, match='of more classes than one'):
        convert('masks', folder, tmp_path / 'other')


def test_grey_in_three_channels_and_palettes_are_values(source, tmp_path):
    mask = values(0, 1)
    folder = source(np.stack([mask] * 3, axis=2), ['a', 'b'])
    image = Image.fromarray(mask, 'P')
    image.putpalette([0, 0, 0, 200, 30, 30])
    image.save(folder / 'masks/1.png')
    Image.fromarray(mask.astype(bool)).save(folder / 'masks/2.png')
    result = convert('masks', folder, tmp_path / 'out')
    assert not result.failed
    for path in (tmp_path / 'out').glob('labels/*/*.png'):
        assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), mask)


def test_what_cannot_be_is_named(source, tmp_path):
    folder = source(values(0, 1, 9), ['a', 'b'])
    with pytest.raises(DataError, match=r'has the values \[9\].*--classes'):
        convert('masks', folder, tmp_path / 'out')
    with pytest.raises(DataError, match=r'has the values \[9\].*9:ignore'):
        convert('masks', folder, tmp_path / 'out', mapping='0:0,1:1')
    for text in ('0', '0:2', 'a:1', '0:c', '0:256', '0:0,1'):
        with pytest.raises(ArgumentError, match='--map has'):
            convert('masks', folder, tmp_path / 'out', mapping=text)
    colours = np.zeros((*SIZE, 3), np.uint8)
    colours[:30, :, 2] = 200
    with pytest.raises(DataError, match='is in colours'):
        convert('masks', source(colours, ['a', 'b']), tmp_path / 'out')


def test_what_is_below_0_is_no_class(source, tmp_path):
    mask = values(0, 1).astype(np.int32)
    mask[50:] = -9999
    folder = source(values(0, 1), ['a', 'b'])
    for n in range(3):
        Image.fromarray(mask).save(folder / f'masks/{n}.tif')
        (folder / f'masks/{n}.png').unlink()
    with pytest.raises(DataError, match=r'has the values \[-9999\]'):
        convert('masks', folder, tmp_path / 'out')
    convert('masks', folder, tmp_path / 'out', mapping='0:0,1:1,-9999:ignore')
    assert np.unique(first_labels(tmp_path / 'out')).tolist() == [0, 1, 255]


def test_transparency_is_no_value(source, tmp_path):
    mask = np.zeros((*SIZE, 4), np.uint8)
    mask[..., 3] = 255
    mask[:20, :, :3] = 1
    result = convert('masks', source(mask, ['a', 'b']), tmp_path / 'out')
    assert result.pixels[1] == 3 * 20 * 80
    mask[:20, :, 3] = 0
    with pytest.raises(DataError, match='is partly transparent'):
        convert('masks', source(mask), tmp_path / 'other')


def test_two_images_that_a_part_brings_together_are_told_apart(source, tmp_path):
    folder = source(values(0, 1), ['a', 'b'])
    for kind in ('images', 'masks'):
        (folder / kind / 'train').mkdir()
        data = (folder / kind / '0.png').read_bytes()
        (folder / kind / 'train/0.png').write_bytes(data)
    lists = tmp_path / 'lists.json'
    lists.write_text('{"train": ["0", "1"], "val": ["2"]}')
    result = convert('masks', folder, tmp_path / 'out', lists=lists)
    assert sorted(item.name for item in result.items) == ['0_png', '0_png_2', '1', '2']
    assert "told apart: 2 images of one name, such as '0_png'" in result.said


def test_without_names_they_are_asked_for(source, tmp_path):
    with pytest.raises(ArgumentError, match='give them with --classes'):
        convert('masks', source(values(0, 1)), tmp_path / 'out')


def test_broken_and_lonely_files_are_counted(source, tmp_path):
    folder = source(values(0, 1), ['a', 'b'], count=5)
    (folder / 'masks/0.png').unlink()
    (folder / 'images/1.png').unlink()
    data = (folder / 'masks/2.png').read_bytes()
    (folder / 'masks/2.png').write_bytes(data[:60])
    result = convert('masks', folder, tmp_path / 'out')
    assert result.skipped == {'images without a mask': 1, 'masks without an image': 1}
    assert len(result.failed) == 1
    assert "2.png' cannot be read" in result.failed[0]
    assert sum(result.images.values()) == 2


def test_a_jpeg_among_the_masks_fails_alone(source, tmp_path):
    folder = source(values(0, 1), ['a', 'b'])
    cv2.imwrite(str(folder / 'masks/0.jpg'), values(0, 200))
    (folder / 'masks/0.png').unlink()
    result = convert('masks', folder, tmp_path / 'out')
    assert sum(result.images.values()) == 2
    (failure,) = result.failed
    assert '0.jpg' in failure
    assert 'export the masks as PNG' in failure


def test_a_value_that_is_mapped_twice_is_refused():
    with pytest.raises(ArgumentError, match='--map says twice what 3 is'):
        parse_map('0:0,3:1,3:ignore', ('a', 'b'))


def test_a_mask_of_several_pages_is_refused(source, tmp_path):
    folder = source(values(0, 1), ['a', 'b'])
    (folder / 'masks/0.png').unlink()
    page = Image.fromarray(values(0, 1))
    page.save(folder / 'masks/0.tif', save_all=True, append_images=[page])
    result = convert('masks', folder, tmp_path / 'out')
    assert len(result.failed) == 1
    assert "0.tif' has 2 pages" in result.failed[0]
