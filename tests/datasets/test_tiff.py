"""Files of all kinds come as they are, and alike in a training and in inference."""

import cv2
import numpy as np
import pytest
import tifffile
from mmseg.registry import TRANSFORMS
from PIL import Image

from sctnet.datasets import images as module
from sctnet.datasets.bands import read_bands, read_picture
from sctnet.datasets.check.sample_files import find_fault
from sctnet.datasets.images import read_decoded, read_image
from sctnet.datasets.prepare.store_files import find_reader
from sctnet.engine.seeded_dataset import SeededDataset
from sctnet.errors import ImageError, PackageError
from sctnet.prediction.preprocess import image_reader

LOADER = 'LoadImageFromFile'
DEFLATE = {'compression': 'deflate', 'predictor': True}
OTHER = {'photometric': 'minisblack', 'planarconfig': 'contig'}
PLANES = {'photometric': 'minisblack', 'planarconfig': 'separate'}
GEO = [  # scale, tie point and nodata, as GDAL writes them
    (33550, 'd', 3, (10.0, 10.0, 0.0)),
    (33922, 'd', 6, (0.0, 0.0, 0.0, 4e5, 5e6, 0.0)),
    (42113, 's', 2, '0'),
]
COLOURS = {'photometric': 'rgb'}
PLAIN = {**COLOURS, 'extrasamples': ['unassalpha']}
NAMELESS = {**COLOURS, 'extrasamples': ['unspecified']}
# Bands, type, and how it is written: None by OpenCV as PNG, else by tifffile.
FILES = {
    'rgb': (3, np.uint8, None),
    'grey': (1, np.uint8, None),
    'rgba': (4, np.uint8, None),
    'deep grey': (1, np.uint16, None),
    'deep rgb': (3, np.uint16, None),
    'deep rgba': (4, np.uint16, None),
    'tiff': (3, np.uint8, COLOURS),
    'tiff, tiles': (3, np.uint8, {**COLOURS, **DEFLATE, 'tile': (32, 48)}),
    'tiff, planes': (3, np.uint8, {**COLOURS, 'planarconfig': 'separate'}),
    'plain alpha': (4, np.uint8, PLAIN),
    'plain alpha, deflate': (4, np.uint8, {**PLAIN, **DEFLATE}),
    'deep plain alpha': (4, np.uint16, {**PLAIN, 'bigtiff': True}),
    'grey and alpha': (2, np.uint8, {**OTHER, 'extrasamples': ['unassalpha']}),
    'deep tiff': (3, np.uint16, {**COLOURS, **DEFLATE, 'rowsperstrip': 7}),
    'deep grey tiff': (1, np.uint16, {'bigtiff': True, 'tile': (16, 16)}),
    'float': (1, np.float32, {'compression': 'deflate'}),
    'float rgb': (3, np.float32, COLOURS),
    'floats': (5, np.float32, {**OTHER, 'bigtiff': True}),
    'pair': (2, np.uint8, PLANES),
    'geo': (4, np.uint16, {**OTHER, 'extratags': GEO, 'tile': (32, 32), **DEFLATE}),
    'geo, planes': (6, np.uint16, {**PLANES, 'extratags': GEO, **DEFLATE}),
    'near infrared': (4, np.uint8, NAMELESS),
    'sixteen': (16, np.uint8, {**OTHER, 'byteorder': '>'}),
}
PICTURES = [name for name in FILES if name not in (
    'float', 'float rgb', 'floats', 'pair', 'geo', 'geo, planes', 'near infrared',
    'sixteen',
)]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(module, '_said', [])


def noise(bands, kind, limit=None):
    values = np.random.default_rng(0).random((70, 66, bands))
    high = limit or (1 if kind == np.float32 else np.iinfo(kind).max + 1)
    return (values * high).astype(kind)


def write(folder, name):
    """Write a file of FILES; return its path and what it holds (H, W, C)."""
    bands, kind, options = FILES[name]
    image = noise(bands, kind)
    if options is None:
        path = folder / 'a.png'
        order = [2, 1, 0, 3][:bands] if bands > 1 else [0]
        cv2.imwrite(str(path), np.ascontiguousarray(image[..., order]))
        return path, image
    path, stored = folder / 'a.tif', image
    if options.get('planarconfig') == 'separate':
        stored = image.transpose(2, 0, 1)
    tifffile.imwrite(path, stored[..., 0] if bands == 1 else stored, **options)
    return path, image


def training_set(path, loader):
    """Return a data set of one image, as a Runner of ours makes it."""

    class Leaf:
        def __init__(self):
            self.pipeline = TRANSFORMS.build(
                {'type': 'Compose', 'transforms': [{'type': loader}]}
            )

        def get_data_info(self, _):
            return {'img_path': str(path)}

        def __getitem__(self, _):
            return self.pipeline({'img_path': str(path)})

    return SeededDataset(Leaf())


def as_trained(path, loader):
    """What the first step of a training's pipeline gives."""
    return training_set(path, loader)[0]['img']


@pytest.mark.parametrize('name', FILES)
def test_bands_come_as_they_are_in_training_and_inference(tmp_path, name):
    path, expected = write(tmp_path, name)
    found = read_bands(path)
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
    assert np.array_equal(as_trained(path, 'LoadBands'), expected)
    read = image_reader([{'type': 'LoadBands'}])
    assert np.array_equal(read(path), expected)
    assert np.array_equal(read(expected), expected)
    assert find_fault({'img_path': str(path)}) is None
    assert read_picture(path).shape == (70, 66, 3)


@pytest.mark.parametrize('name', PICTURES)
def test_pictures_are_alike_in_training_and_inference(tmp_path, name):
    path, image = write(tmp_path, name)
    colours = image[..., :3] if image.shape[2] > 2 else image[..., [0, 0, 0]]
    expected = colours[..., ::-1] >> (0 if image.dtype == np.uint8 else 8)
    assert np.array_equal(read_image(path), expected)
    assert np.array_equal(as_trained(path, LOADER), expected)
    assert np.array_equal(image_reader([])(path), expected)
    reader = find_reader({'pipeline': [{'type': LOADER}]}, LOADER)  # of a store
    stored = reader.transform.transform({'img_path': str(path)})['img']
    assert np.array_equal(stored, expected)


@pytest.mark.parametrize('name', sorted(set(FILES) - set(PICTURES)))
def test_what_is_no_picture_is_refused_with_the_remedy(tmp_path, name):
    path, image = write(tmp_path, name)
    bands = image.shape[2]
    said = f'has {bands} bands? of {image.dtype}: .* read it by LoadBands'
    for read in (read_image, image_reader([]), lambda p: as_trained(p, LOADER)):
        with pytest.raises(ImageError, match=said):
            read(path)


def test_upper_bits_are_said_once(tmp_path, monkeypatch):
    told = []

    def hear(text, *_, **__):
        if '16 bits' in text:
            told.append(text)

    monkeypatch.setattr('mmengine.logging.print_log', hear)
    image = noise(3, np.uint16, 4096)
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    for read in (read_image, image_reader([])):
        assert read(tmp_path / 'a.png').max() == 15
    image_reader([])(image)
    assert len(told) == 1
    assert "a.png' has 16 bits, of which LoadImageFromFile takes the upper" in told[0]
    assert f'end at {image.max()}, so that the picture is nearly black' in told[0]
    monkeypatch.setattr(module, '_said', [])
    image_reader([])(image * 16)
    assert 'nearly black' not in told[1]
    monkeypatch.setattr(module, '_said', [])
    training_set(tmp_path / 'a.png', LOADER)  # before a worker reads
    assert told[2] == told[0]
    training_set(tmp_path / 'none.png', LOADER)


def test_other_numbers_become_floats(tmp_path):
    image = np.arange(-2000, 2620, dtype=np.int16).reshape(70, 66)
    tifffile.imwrite(tmp_path / 'a.tif', image)
    found = read_bands(tmp_path / 'a.tif')
    assert found.dtype == np.float32
    assert np.array_equal(found[..., 0], image)


def test_white_may_be_0(tmp_path):
    image = noise(1, np.uint8)[..., 0]
    tifffile.imwrite(tmp_path / 'a.tif', image, photometric='miniswhite')
    assert np.array_equal(read_bands(tmp_path / 'a.tif')[..., 0], 255 - image)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_orientation_is_applied_once_whoever_decodes(tmp_path, orientation):
    image = noise(3, np.uint8)
    tag = [(274, 'H', 1, orientation)]
    tifffile.imwrite(tmp_path / 'a.tif', image, photometric='rgb', extratags=tag)
    exif = Image.Exif()
    exif[274] = orientation
    picture = Image.fromarray(image)
    picture.save(tmp_path / 'lzw.tif', exif=exif, compression='tiff_lzw')
    picture.save(tmp_path / 'a.png', exif=exif)
    expected = cv2.imread(str(tmp_path / 'a.png'))
    for name in ('a.tif', 'lzw.tif', 'a.png'):
        assert np.array_equal(read_image(tmp_path / name), expected), name
        assert np.array_equal(read_bands(tmp_path / name)[..., ::-1], expected), name


@pytest.mark.parametrize('mode', ['L', 'RGB', 'RGBA', 'P', '1', 'I;16', 'F'])
@pytest.mark.parametrize('compression', ['tiff_lzw', 'packbits'])
def test_files_of_pillow(tmp_path, mode, compression):
    rgba = Image.fromarray(noise(4, np.uint8))
    if mode == 'I;16':
        picture = Image.fromarray(noise(1, np.uint16)[..., 0])
    else:
        picture = (rgba if mode == 'RGBA' else rgba.convert('RGB')).convert(mode)
    picture.save(tmp_path / 'a.tif', compression=compression)
    found = read_bands(tmp_path / 'a.tif')
    shown = picture.convert({'P': 'RGB', '1': 'L'}.get(mode, mode))
    assert np.array_equal(found, np.array(shown).reshape(found.shape))


@pytest.mark.parametrize('compression', ['raw', 'deflate', 'tiff_lzw'])
@pytest.mark.parametrize('share', [0.05, 0.5, 0.95])
def test_cut_files_are_told(tmp_path, compression, share):
    Image.fromarray(noise(3, np.uint8)).save(
        tmp_path / 'a.tif', compression=compression
    )
    deep = noise(4, np.uint16)
    if compression != 'tiff_lzw':
        options = {} if compression == 'raw' else DEFLATE
        tifffile.imwrite(tmp_path / 'b.tif', deep, **OTHER, **options)
    for path in tmp_path.glob('*.tif'):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ImageError, match='truncated or not an image'):
            read_bands(path)


def test_what_needs_another_package_or_is_several_images(tmp_path):
    path = tmp_path / 'a.tif'
    tifffile.imwrite(path, noise(5, np.uint8), **OTHER)
    data = bytearray(path.read_bytes())
    tag = data.index(bytes([3, 1, 3, 0, 1, 0, 0, 0]))  # compression
    data[tag + 8] = 5  # LZW
    path.write_bytes(data)
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        with pytest.raises(PackageError, match=r"pip install .sctnet\[tiff\]'"):
            read_bands(path)
    pages = noise(3, np.uint8).transpose(2, 0, 1)
    tifffile.imwrite(path, pages, photometric='minisblack')
    with pytest.raises(ImageError, match='holds 3 images: expected one'):
        read_bands(path)
    with tifffile.TiffWriter(path) as file:  # with an overview, as GDAL adds it
        file.write(noise(5, np.uint8), **OTHER)
        file.write(noise(5, np.uint8)[::2, ::2], subfiletype=1, **OTHER)
    assert read_bands(path).shape == (70, 66, 5)


def test_strips_that_end_behind_the_file_are_told_whoever_decodes(tmp_path):
    path = tmp_path / 'a.tif'
    Image.fromarray(noise(3, np.uint8)).save(path, compression='tiff_lzw')
    size = path.stat().st_size
    with tifffile.TiffFile(path, mode='r+b') as file:
        file.pages.first.tags['StripByteCounts'].overwrite(size)
    with pytest.raises(ImageError, match=r'truncated or not an image \(cut off\)'):
        read_bands(path)


@pytest.mark.parametrize('kind', [0, 1, 2])  # nameless, associated, plain
def test_a_fourth_band_of_lzw_is_what_the_file_has(tmp_path, kind):
    path, image = tmp_path / 'a.tif', noise(4, np.uint8)
    Image.fromarray(image).save(path, compression='tiff_lzw')
    with tifffile.TiffFile(path, mode='r+b') as file:
        file.pages.first.tags['ExtraSamples'].overwrite(kind)
    assert np.array_equal(read_bands(path), image)
    assert read_decoded(path).colours == (3 if kind else 0)


def test_inks_are_shown_in_colours(tmp_path):
    picture = Image.fromarray(noise(3, np.uint8)).convert('CMYK')
    picture.save(tmp_path / 'a.tif')
    assert read_image(tmp_path / 'a.tif').shape == (70, 66, 3)
