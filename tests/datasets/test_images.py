import struct

import cv2
import numpy as np
import pytest
from own_folder import claim_size
from PIL import Image

from sctnet.datasets.images import (
    claimed_size,
    decode_image,
    read_header,
    read_image,
    to_bgr,
)
from sctnet.errors import ImageError


@pytest.fixture(scope='module')
def colour():
    noise = np.random.default_rng(0).integers(0, 256, (10, 12, 3), np.uint8)
    return cv2.resize(noise, (96, 80))


def write(path, image, *options):
    cv2.imwrite(str(path), image, *options)
    return path


@pytest.mark.parametrize('suffix', ['.png', '.bmp', '.tif', '.ppm'])
def test_colour_files_come_back_as_they_are(tmp_path, colour, suffix):
    path = write(tmp_path / f'a{suffix}', colour)
    np.testing.assert_array_equal(read_image(path), colour)


def test_arrays_are_converted_like_files(colour):
    grey = colour[..., 1]
    three = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(to_bgr(colour), colour)
    np.testing.assert_array_equal(to_bgr(grey), three)
    np.testing.assert_array_equal(to_bgr(grey[..., None]), three)
    np.testing.assert_array_equal(to_bgr(np.dstack([colour, grey])), colour)
    np.testing.assert_array_equal(to_bgr(colour.astype(np.uint16) * 257), colour)


@pytest.mark.parametrize(
    ('array', 'complaint'),
    [
        (np.zeros((80, 80, 3), np.float32), 'dtype float32'),
        (np.zeros((80, 80, 2), np.uint8), r'shape \(80, 80, 2\)'),
        (np.zeros((2, 80, 80, 3), np.uint8), 'pass several images as a list'),
        (np.zeros((80, 63, 3), np.uint8), '63x80 pixels'),
        (np.zeros((0, 0, 3), np.uint8), '0x0 pixels'),
    ],
)
def test_bad_arrays(array, complaint):
    with pytest.raises(ImageError, match=complaint):
        to_bgr(array)


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp', '.tif', '.webp'])
@pytest.mark.parametrize('share', [0.05, 0.5, 0.95])
def test_truncated_files(tmp_path, colour, suffix, share):
    path = write(tmp_path / f'cut{suffix}', colour)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ImageError, match=r'cut\..* is truncated or not an image'):
        read_image(path)


def test_jpeg_with_bytes_after_its_end_is_whole(tmp_path, colour):
    path = write(tmp_path / 'a.jpg', colour)
    expected = read_image(path)
    path.write_bytes(path.read_bytes() + b'appended by a camera')
    np.testing.assert_array_equal(read_image(path), expected)


def test_a_corrupt_middle_is_found(tmp_path, colour):
    content = bytearray(write(tmp_path / 'a.png', colour).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 50] = bytes(50)
    (tmp_path / 'corrupt.png').write_bytes(content)
    with pytest.raises(ImageError, match=r'corrupt\.png'):
        read_image(tmp_path / 'corrupt.png')


def test_missing_empty_and_other_files(tmp_path):
    with pytest.raises(ImageError, match=r"nowhere\.png' cannot be read \(No such"):
        read_image(tmp_path / 'nowhere.png')
    with pytest.raises(ImageError, match='Is a directory'):
        read_image(tmp_path)
    (tmp_path / 'empty.png').write_bytes(b'')
    with pytest.raises(ImageError, match=r"empty\.png' is empty"):
        read_image(tmp_path / 'empty.png')
    (tmp_path / 'text.png').write_text('not an image')
    with pytest.raises(ImageError, match='not an image'):
        read_image(tmp_path / 'text.png')


def test_small_images_name_their_size(tmp_path, colour):
    path = write(tmp_path / 'small.png', colour[:63])
    with pytest.raises(ImageError, match=r'96x63 pixels: expected at least 64x64'):
        read_image(path)
    assert read_image(write(tmp_path / 'just.png', colour[:64, :64])).shape[0] == 64


def test_decoding_takes_any_size_and_opencvs_flags(colour):
    data = cv2.imencode('.jpg', colour)[1].tobytes()
    assert decode_image(data, 'a').shape == (80, 96, 3)
    small = decode_image(data, 'a', cv2.IMREAD_REDUCED_COLOR_4)
    assert small.shape == (20, 24, 3)
    with pytest.raises(ImageError, match='picture 7 is truncated'):
        decode_image(data[: len(data) // 2], 'picture 7', cv2.IMREAD_REDUCED_COLOR_4)


@pytest.mark.parametrize(
    ('size', 'words'),
    [
        ((20_000, 20_000), 'claims more than'),
        ((12_000, 12_000), 'claims more than'),
        ((8192, 8192), 'truncated'),
    ],
)
def test_a_few_bytes_that_claim_much_are_refused_before_they_are_decoded(
    size, words, photo, tmp_path, monkeypatch
):
    path = tmp_path / 'bomb.png'
    path.write_bytes(photo.read_bytes())
    claim_size(path, *size)
    monkeypatch.setattr(cv2, 'imdecode', None)
    with pytest.raises(ImageError, match=rf'bomb\.png.*{words}'):
        read_image(path)


def test_what_pillow_cannot_open_is_not_decoded(photo, tmp_path, monkeypatch):
    data = bytearray(photo.read_bytes())
    data[24] = 7  # bits
    path = tmp_path / 'odd.png'
    path.write_bytes(data)
    monkeypatch.setattr(cv2, 'imdecode', None)
    with pytest.raises(ImageError, match='truncated or not an image'):
        read_image(path)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif'])
@pytest.mark.parametrize('tag', [1, 3, 6])
def test_a_header_tells_the_size_as_stored_and_as_it_is_seen(tmp_path, suffix, tag):
    path, exif = str(tmp_path / f'a{suffix}'), Image.Exif()
    exif[0x0112] = tag
    Image.new('RGB', (64, 48)).save(path, exif=exif)
    assert read_header(path) == ((64, 48), tag)
    assert claimed_size(path) == read_image(path, 1).shape[1::-1]
    assert claimed_size(path) == ((48, 64) if tag == 6 else (64, 48))


def test_a_tiff_that_claims_no_rows_is_damaged(tmp_path):
    path = tmp_path / 'a.tif'
    Image.new('RGB', (64, 48)).save(path)
    height = struct.pack('<HHII', 257, 4, 1, 48)
    data = path.read_bytes()
    assert data.count(height) == 1
    path.write_bytes(data.replace(height, height[:8] + bytes(4)))
    with pytest.raises(ImageError, match='truncated or not an image'):
        read_image(path)
