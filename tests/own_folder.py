"""A small folder of images and label maps, and configs that train on it."""

import struct
import zlib
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from sctnet.datasets.folder_dataset import FolderDataset
from sctnet.datasets.new.measure import Measured
from sctnet.datasets.new.write_configs import TEACHERS, make_plan, write_configs

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


def dataset_config(root, part='train', pipeline=(), **more):
    """The config of a part's data set."""
    folders = {'img_path': f'images/{part}', 'seg_map_path': f'labels/{part}'}
    more = {'metainfo': {'classes': CLASSES}, 'data_prefix': folders, **more}
    return dict(
        type=FolderDataset, data_root=str(root), pipeline=list(pipeline), **more
    )


def truncate(path, share=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def claim_size(path, width, height):
    """Make the header of a PNG claim so many pixels."""
    data = path.read_bytes()
    header = b'IHDR' + struct.pack('>II', width, height) + data[24:29]
    check_sum = struct.pack('>I', zlib.crc32(header))
    path.write_bytes(data[:12] + header + check_sum + data[33:])


def write_config(
    path,
    root,
    base='student_t',
    classes=CLASSES,
    *,
    crop=(64, 64),
    iterations=20000,
    batch=8,
    palette=None,
    reduce_zero_label=False,
):
    """Write the config that ``sctnet new`` writes for such a folder; returns its path.

    Args:
        base: ``student_`` or ``teacher_`` and the network: s, b, t; b2, b3, t.
    """
    kind, _, network = base.partition('_')
    students = {teacher: student for student, teacher in TEACHERS.items()}
    student = network if kind == 'student' else students[network]
    images = {'train': 4, 'val': 2}
    summary = {'classes': classes, 'images': images, 'palette': palette}
    kinds, values = {(3, 'uint8'): 1}, [100.0] * 3
    measured = Measured(Counter({SIZE[::-1]: 1}), Counter(kinds), values, values, 255.0)
    root = path.parent / root  # as the folder's own name beside the config
    plan = make_plan(root, summary, measured, student, crop[0], iterations, batch)
    with TemporaryDirectory() as folder:
        write_configs(plan, Path(folder), {})
        text = Path(folder, f'{kind}.py').read_text()
        text = text.replace(folder, str(path.parent))
    zero = 'reduce_zero_label='
    path.write_text(text.replace(f'{zero}False', f'{zero}{reduce_zero_label}'))
    return path
