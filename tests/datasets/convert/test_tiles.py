"""Large images cut into tiles, labels with them, values as they are."""

import cv2
import numpy as np
import pytest
from conversion_sources import WIDTH, corners, labelme_json, made
from PIL import Image

from sctnet.datasets.bands import read_bands
from sctnet.datasets.convert import convert
from sctnet.datasets.convert.tiles import Tiling, write_bands
from sctnet.datasets.images import read_image
from sctnet.errors import ArgumentError, DataError

SIZE = (150, 200)
RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (*SIZE, 3), np.uint8)
LABELS = RNG.integers(0, 3, SIZE).astype(np.uint8)
same = np.testing.assert_array_equal


@pytest.fixture
def run(tmp_path):
    """Converts index masks of images that are written here."""

    def convert_pairs(pairs, out='out', **options):
        for name, (image, labels) in pairs.items():
            for kind in ('images', 'masks'):
                (tmp_path / 'in' / kind).mkdir(parents=True, exist_ok=True)
            if callable(image):
                image(tmp_path / 'in/images' / name)
            else:
                assert cv2.imwrite(str(tmp_path / 'in/images' / name), image)
            mask = tmp_path / 'in/masks' / name.replace('.jpg', '.png')
            assert cv2.imwrite(str(mask.with_suffix('.png')), labels)
        given = {'classes': 'a,b,c', 'workers': 0, 'val': 0.0, 'tile': 100}
        out = tmp_path / out
        return convert('masks', tmp_path / 'in', out, **{**given, **options})

    return convert_pairs


def labels_of(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_tiles_are_of_full_size_and_hold_what_the_image_holds(run):
    result = run({'a.png': (PICTURE, LABELS)}, overlap=20)
    root = result.root
    assert made(root / 'images/train') == [
        f'a_x{left:04}_y{top:04}.png' for left in (0, 80, 100) for top in (0, 50)
    ]
    for left in (0, 80, 100):
        for top in (0, 50):
            window = slice(top, top + 100), slice(left, left + 100)
            name = f'train/a_x{left:04}_y{top:04}.png'
            same(cv2.imread(str(root / 'images' / name)), PICTURE[window])
            same(labels_of(root / 'labels' / name), LABELS[window])
    assert result.images == {'train': 6}
    assert result.pixels.sum() == 6 * 100 * 100
    assert result.said == ['cut: 1 images into 6 tiles']


def test_a_short_side_stays_whole_and_a_small_image_as_it_is(run):
    pairs = {
        'flat.jpg': (PICTURE[:70], LABELS[:70]),
        'small.jpg': (PICTURE[:100, :100], LABELS[:100, :100]),
    }
    result = run(pairs)
    files = made(result.root / 'images/train')
    assert files == ['flat_x0000_y0000.png', 'flat_x0100_y0000.png', 'small.jpg']
    decoded = read_image(result.root.parent / 'in/images/flat.jpg')
    tile = cv2.imread(str(result.root / 'images/train' / files[1]))
    same(tile, decoded[:, 100:])  # what the JPEG held, without another loss
    whole = result.root.parent / 'in/images/small.jpg'
    assert (result.root / 'images/train/small.jpg').read_bytes() == whole.read_bytes()


@pytest.mark.parametrize('stratify', [False, True])
def test_tiles_of_an_image_stay_in_one_part(run, stratify):
    labels = [np.roll(LABELS, number) for number in range(6)]
    pairs = {f'{n}.png': (PICTURE, labels[n]) for n in range(6)}
    result = run(pairs, val=0.4, stratify=stratify, workers=2)
    parts = {}
    for path in result.root.glob('labels/*/*.png'):
        parts.setdefault(path.name[0], set()).add(path.parent.name)
        assert (result.root / 'images' / path.parent.name / path.name).is_file()
    assert len(parts) == 6
    assert all(len(one) == 1 for one in parts.values())
    assert result.images.total() == 24
    assert result.images['val'] >= 4


def test_tiles_that_are_all_to_ignore_are_left_out_and_counted(run):
    labels = LABELS.copy()
    labels[:100, :100] = 255
    result = run({'a.png': (PICTURE, labels)})
    assert result.skipped == {'tiles that are all to ignore': 1}
    assert 'train/a_x0000_y0000.png' not in made(result.root / 'images')
    assert result.images == {'train': 3}
    with pytest.raises(DataError, match='all tiles are to ignore'):
        run({'a.png': (PICTURE, np.full(SIZE, 255, np.uint8))}, 'none')


DEEP = RNG.integers(0, 65536, (*SIZE, 4), np.uint16)


@pytest.mark.parametrize(
    ('image', 'suffix'),
    [
        (PICTURE[..., 0], '.png'),
        (DEEP[..., 0], '.png'),
        (DEEP[..., :3], '.png'),
        (DEEP, '.png'),
        (DEEP[..., 0].astype(np.float32) / 7, '.tif'),
    ],
)
def test_bands_and_bits_are_kept(run, image, suffix):
    kind = '.tif' if suffix == '.tif' else '.png'
    result = run({f'a{kind}': (image, LABELS)})
    whole = read_bands(result.root.parent / f'in/images/a{kind}')
    tile = read_bands(result.root / f'images/train/a_x0100_y0050{suffix}')
    assert tile.dtype == image.dtype
    same(tile, whole[50:, 100:])


@pytest.mark.parametrize('bands', [2, 5])
def test_other_bands_are_written_as_tiff(tmp_path, bands):
    pytest.importorskip('tifffile')
    for dtype in (np.uint8, np.uint16, np.float32):
        image = RNG.integers(0, 200, (70, 80, bands)).astype(dtype)
        file = write_bands(tmp_path / f'{np.dtype(dtype)}.{bands}', image)
        assert file.suffix == '.tif'
        found = read_bands(file)
        assert found.dtype == dtype
        same(found, image)


@pytest.mark.parametrize('tag', range(1, 9))
@pytest.mark.parametrize('suffix', ['jpg', 'png', 'tif'])
def test_a_turned_image_is_cut_as_it_is_shown(run, suffix, tag):
    exif = Image.Exif()
    exif[0x0112] = tag

    def save(path):
        Image.fromarray(PICTURE).save(path, exif=exif)

    labels = LABELS if tag < 5 else LABELS.T
    result = run({f'a.{suffix}': (save, labels)})
    shown = read_image(result.root.parent / f'in/images/a.{suffix}')
    tile = result.root / 'images/train/a_x0000_y0000.png'
    same(read_image(tile), shown[:100, :100])


def test_an_image_inside_a_json_is_cut(tmp_path):
    import base64

    _, data = cv2.imencode('.png', PICTURE)
    more = {
        'imageData': base64.b64encode(data).decode(),
        'imageHeight': SIZE[0],
        'imageWidth': SIZE[1],
    }
    shape = [('wall', 'polygon', corners((slice(0, 60), slice(0, WIDTH))))]
    labelme_json(tmp_path / 'in/a.json', shape, 'gone.png', **more)
    options = {'workers': 0, 'val': 0.0, 'tile': 100}
    result = convert('labelme', tmp_path / 'in', tmp_path / 'out', **options)
    tile = result.root / 'images/train/a_x0100_y0050.png'
    same(cv2.imread(str(tile)), PICTURE[50:, 100:])


def test_tiles_out_of_range_are_refused(run):
    for options, words in (
        ({'tile': 63}, '--tile is 63: expected 64 or more'),
        ({'overlap': 100}, '--overlap is 100: expected 0 to below --tile, 100'),
        ({'overlap': -1}, '--overlap is -1'),
        ({'tile': None, 'overlap': 5}, '--overlap 5 is of tiles'),
    ):
        with pytest.raises(ArgumentError, match=words):
            run({'a.png': (PICTURE, LABELS)}, **options)


def test_no_pixel_is_left_out():
    for side, overlap, size in (
        (64, 0, (64, 129)),
        (64, 63, (70, 66)),
        (99, 50, (300, 99)),
    ):
        seen = np.zeros(size, int)
        for _, window in Tiling(side, overlap).windows(size):
            assert seen[window].shape == (min(side, size[0]), min(side, size[1]))
            seen[window] += 1
        assert seen.min() > 0
