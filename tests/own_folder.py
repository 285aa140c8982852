"""A small data set in the layout of ``own_data``, and configs that train on it."""

import struct
import zlib

import cv2
import numpy as np

CLASSES = ('floor', 'wall', 'door')
SIZE = (96, 80)  # width, height


def write_own_data(root, train=4, val=2, classes=3, shift=0, suffix='.png'):
    """Stripes of ``classes`` labels from ``shift`` on, beside smooth colours."""
    rng = np.random.default_rng(0)
    for part, count in (('train', train), ('val', val)):
        for number in range(count):
            noise = rng.integers(0, 256, (10, 12, 3), np.uint8)
            image = cv2.resize(noise, SIZE, interpolation=cv2.INTER_CUBIC)
            stripes = np.arange(SIZE[1], dtype=np.uint8) // 5 % classes + shift
            labels = np.repeat(stripes[:, None], SIZE[0], axis=1)
            write(image_path(root, part, number, suffix), image)
            write(label_path(root, part, number), labels)
    return root


def image_path(root, part, number, suffix='.png'):
    return root / 'images' / part / f'{part}{number}{suffix}'


def label_path(root, part, number):
    return root / 'labels' / part / f'{part}{number}.png'


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def truncate(path, share=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def claim_size(path, width, height):
    """Make the header of a PNG claim so many pixels."""
    data = path.read_bytes()
    header = b'IHDR' + struct.pack('>II', width, height) + data[24:29]
    check_sum = struct.pack('>I', zlib.crc32(header))
    path.write_bytes(data[:12] + header + check_sum + data[33:])


def write_config(path, root, base='student_t', classes=CLASSES, **more):
    """Write what a user's config looks like; returns its path."""
    values = {'root': str(root), 'classes': classes, 'crop': (64, 64), **more}
    lines = ''.join(f'    {key}={value!r},\n' for key, value in values.items())
    path.write_text(
        'from mmengine.config import read_base\n\n'
        'with read_base():\n'
        f'    from sctnet.configs._base_.own_data.{base} import *\n\n'
        f'own_data.update(\n{lines})\n'
    )
    return path
