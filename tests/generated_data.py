"""A handful of tiny images and labels in the layouts of the three real data sets.

Folders and file names are those that the data sets' own archives and mmseg's
converters produce, below the folder that the configs name as ``data_root``.
"""

import cv2
import numpy as np

IGNORED = 255
ROOTS = {
    'cityscapes': 'cityscapes',
    'ade20k': 'ade/ADEChallengeData2016',
    'coco_stuff10k': 'coco_stuff10k',
}


def label_map(rng, size, values, always):
    """Blocks of random ``values``, every second one of them one of ``always``."""
    width, height = size
    blocks = rng.choice(values, (8, 8))
    blocks[::2, ::2] = blocks[1::2, 1::2] = rng.choice(always, (4, 4))
    blocks = blocks.astype(np.uint8)
    return cv2.resize(blocks, (width, height), interpolation=cv2.INTER_NEAREST)


def picture(rng, size):
    """Smooth noise in colour."""
    noise = rng.integers(0, 256, (12, 16, 3), np.uint8)
    return cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def write_cityscapes(root, train=3, val=2, size=(256, 128)):
    """Train ids 0 to 18 and 255, beside the raw ids that nothing may read."""
    rng = np.random.default_rng(0)
    for split, city, count in (('train', 'aachen', train), ('val', 'munster', val)):
        for number in range(count):
            name = f'{split}/{city}/{city}_{number:06}_000019'
            fine = root / 'gtFine'
            labels = label_map(rng, size, np.arange(19), (0, 18, IGNORED))
            write(root / 'leftImg8bit' / f'{name}_leftImg8bit.png', picture(rng, size))
            write(fine / f'{name}_gtFine_labelTrainIds.png', labels)
            raw = label_map(rng, size, np.arange(34), (7, 33))
            write(fine / f'{name}_gtFine_labelIds.png', raw)
            write(fine / f'{name}_gtFine_instanceIds.png', raw.astype(np.uint16) * 1000)
            write(fine / f'{name}_gtFine_color.png', picture(rng, size))


def write_ade20k(root, train=3, val=2):
    """Labels 1 to 150, and 0 to ignore; images of many sizes."""
    rng = np.random.default_rng(1)
    sizes = [(171, 128), (128, 171), (192, 128)]
    for split, short, count in (
        ('training', 'train', train),
        ('validation', 'val', val),
    ):
        for number in range(count):
            name, size = f'ADE_{short}_{number + 1:08}', sizes[number % 3]
            labels = label_map(rng, size, np.arange(151), (0, 1, 150))
            write(root / 'images' / split / f'{name}.jpg', picture(rng, size))
            write(root / 'annotations' / split / f'{name}.png', labels)


def write_coco_stuff10k(root, train=3, val=2):
    """Train ids 1 to 171, and 0 to ignore; one image without colour."""
    rng = np.random.default_rng(2)
    sizes = [(160, 120), (120, 160), (160, 107)]
    for split, count in (('train2014', train), ('test2014', val)):
        for number in range(count):
            # The 10k subset takes all of its images from COCO's train2014.
            name, size = f'COCO_train2014_{77 + number:012}', sizes[number % 3]
            image = picture(rng, size)
            if number == 1:
                image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            labels = label_map(rng, size, np.arange(172), (0, 1, 171))
            write(root / 'images' / split / f'{name}.jpg', image)
            folder = root / 'annotations' / split
            write(folder / f'{name}_labelTrainIds.png', labels)


WRITERS = {
    'cityscapes': write_cityscapes,
    'ade20k': write_ade20k,
    'coco_stuff10k': write_coco_stuff10k,
}


def write_all(folder):
    """Write every data set below ``folder``, where the configs' ``data`` is."""
    for name, writer in WRITERS.items():
        writer(folder / ROOTS[name])
    return folder
