"""Pascal VOC's layout to label maps."""

import cv2
import numpy as np
import pytest
from conversion_sources import LARGE, SMALL, expected, labels_of, made, picture
from PIL import Image

from sctnet.datasets.convert import convert
from sctnet.errors import DataError

DRAWN = expected((LARGE, 1), (SMALL, 15), ((slice(9, 10), slice(20, 80)), 255))


@pytest.fixture
def voc(tmp_path):
    """Three images, of which a is for training and b, a PNG, for validation."""
    root = tmp_path / 'VOC2012'
    (root / 'SegmentationClass').mkdir(parents=True)
    for name in ('a.jpg', 'b.png', 'c.jpg'):
        picture(root / 'JPEGImages' / name)
        image = Image.fromarray(DRAWN, 'P')
        image.putpalette(np.random.default_rng(0).bytes(768))
        image.save(root / f'SegmentationClass/{name[0]}.png')
    lists = root / 'ImageSets/Segmentation'
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text('a\n')
    (lists / 'val.txt').write_text('b\n')
    return root


def run(voc, out='out', **options):
    return convert('voc', voc, voc.parent / out, workers=0, **options)


def test_palette_masks_keep_their_indices_and_the_lists_their_parts(voc, tmp_path):
    result = run(voc)
    assert result.classes[:2] == ('background', 'aeroplane')
    assert (len(result.classes), result.classes[15]) == (21, 'person')
    assert result.palette[15] == [192, 128, 128]
    assert made(tmp_path / 'out')[1:] == [
        'images/train/a.jpg', 'images/val/b.png',
        'labels/train/a.png', 'labels/val/b.png',
    ]  # fmt: skip
    np.testing.assert_array_equal(labels_of(tmp_path / 'out', 'a'), DRAWN)
    (voc / 'ImageSets/Segmentation/val.txt').write_text('b\na\n')
    with pytest.raises(DataError, match="'a' is in the lists of train and of val"):
        run(voc, 'new')


def test_without_lists_all_masks_are_shared_out(voc, tmp_path):
    for file in (voc / 'ImageSets/Segmentation').iterdir():
        file.unlink()
    (voc / 'SegmentationClass/c.png').unlink()
    result = run(voc, val=0.5)
    assert result.images == {'train': 1, 'val': 1}
    assert result.skipped == {'images without a mask': 1}
    assert result.examples == {'images without a mask': str(voc / 'JPEGImages/c.jpg')}


def test_classes_of_ones_own_must_cover_the_indices(voc, tmp_path):
    result = run(voc, classes=','.join(f'c{number}' for number in range(16)))
    assert (len(result.classes), result.palette) == (16, None)
    with pytest.raises(DataError, match=r'the values \[15\], which are none of the 2 '):
        run(voc, 'new', classes='back,thing')
    bits = Image.fromarray(expected((LARGE, 1)).astype(bool))
    for name in 'ab':  # of one bit each
        bits.save(voc / f'SegmentationClass/{name}.png')
    run(voc, 'bits', classes='back,thing')
    labels = labels_of(tmp_path / 'bits', 'a')
    np.testing.assert_array_equal(labels, expected((LARGE, 1)))


def test_missing_and_coloured_masks_and_images_are_named(voc):
    lists = voc / 'ImageSets/Segmentation'
    (lists / 'train.txt').write_text('a\nb\nc\nd\n')
    (lists / 'val.txt').unlink()
    (voc / 'SegmentationClass/b.png').unlink()
    cv2.imwrite(
        str(voc / 'SegmentationClass/c.png'), np.dstack([DRAWN, DRAWN, 0 * DRAWN])
    )
    result = run(voc, val=0)
    assert result.images == {'train': 1}
    (failure,) = result.failed
    assert 'with the format "colours"' in failure
    assert result.skipped == {
        'images without a mask': 1,
        "names in lists that are no image, such as 'b'": 2,
    }


def test_names_and_lists_of_other_programs(voc, tmp_path):
    lists = voc / 'ImageSets/Segmentation'
    for file in lists.iterdir():
        file.unlink()
    for kind, suffix in (('JPEGImages', '.JPG'), ('SegmentationClass', '.PNG')):
        for n, name in enumerate(('s1/1', 's2/1', 'a room')):
            target = voc / kind / f'{name}{suffix}'
            target.parent.mkdir(exist_ok=True)
            old = {'.JPG': f'{"abc"[n]}.*', '.PNG': f'{"abc"[n]}.png'}[suffix]
            (found,) = (voc / kind).glob(old)
            picture(target, n) if suffix == '.JPG' else found.rename(target)
            found.unlink(missing_ok=True)
    # CVAT 2's list of all, with names as it writes them: without a suffix.
    (lists / 'default.txt').write_text('s1/1\ns2/1\na room\n')
    assert run(voc, val=0).images == {'train': 3}
    assert [name for name in made(tmp_path / 'out') if name.startswith('images')] == [
        'images/train/a room.jpg', 'images/train/s1/1.jpg', 'images/train/s2/1.jpg',
    ]  # fmt: skip
    # VOC's own trainval.txt names both parts; with one of them it says nothing new.
    (lists / 'default.txt').rename(lists / 'trainval.txt')
    assert run(voc, 'all', val=0).images == {'train': 3}
    (lists / 'train.txt').write_text('s1/1\n')
    (lists / 'val.txt').write_text('a room\n')
    result = run(voc, 'parts', val=0)
    assert result.images == {'train': 1, 'val': 1}
    assert result.skipped == {'images that no list names': 1}


def test_of_palettes_that_differ_the_colours_count(voc):
    colours = np.frombuffer(np.random.default_rng(0).bytes(768), np.uint8)
    image = Image.fromarray(255 - DRAWN, 'P')
    image.putpalette(colours.reshape(-1, 3)[::-1].tobytes())
    image.save(voc / 'SegmentationClass/b.png')
    reason = "masks read by their palette, whose order is not the first's"
    assert run(voc).skipped[reason] == 1
    assert (labels_of(voc.parent / 'out', 'b', 'val') == DRAWN).all()
    image.putpalette(np.random.default_rng(1).bytes(768))
    image.save(voc / 'SegmentationClass/b.png')
    (failed,) = run(voc, 'other').failed
    assert "b.png' has a palette of other colours than the first" in failed
    Image.fromarray(DRAWN).save(voc / 'SegmentationClass/b.png')  # grey has none
    assert not run(voc, 'grey').skipped[reason]
