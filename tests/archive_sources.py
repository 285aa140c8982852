"""Published archives, generated in small."""

import io

import cv2
import numpy as np
from conversion_sources import (
    HEIGHT,
    LARGE,
    SMALL,
    WIDTH,
    city_json,
    expected,
    write_zip,
)  # fmt: skip
from scipy.io import savemat


def encoded(image, suffix):
    return cv2.imencode(suffix, image)[1].tobytes()


def noise(suffix, seed=0):
    rng = np.random.default_rng(seed)
    return encoded(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), suffix)


def ade(path):
    members = {'ADEChallengeData2016/objectInfo150.txt': b'1 wall'}
    for part, short in (('training', 'train'), ('validation', 'val')):
        name = f'{part}/ADE_{short}_00000001'
        labels = encoded(expected((LARGE, 150)), '.png')
        members[f'ADEChallengeData2016/images/{name}.jpg'] = noise('.jpg')
        members[f'ADEChallengeData2016/annotations/{name}.png'] = labels
    return write_zip(path, {**members, '__MACOSX/._x': b'', 'x/.DS_Store': b''})


def mat(labels):
    buffer = io.BytesIO()
    savemat(buffer, {'S': labels, 'names': ['x'], 'captions': ['y']})
    return buffer.getvalue()


STORED = expected((LARGE, 182), (SMALL, 13)).astype(np.uint16)
TRAIN_IDS = expected((LARGE, 171), (SMALL, 12))


def coco_stuff(path, head=''):
    stems = {
        'train': 'COCO_train2014_000000000077',
        'test': 'COCO_train2014_000000000078',
    }
    members = {f'{head}README.txt': b'', f'{head}imageLists/all.txt': b'x'}
    for part, stem in stems.items():
        members[f'{head}imageLists/{part}.txt'] = f'{stem}\n'.encode()
        members[f'{head}images/{stem}.jpg'] = noise('.jpg')
        members[f'{head}annotations/{stem}.mat'] = mat(STORED)
    return write_zip(path, members)


def cityscapes(folder):
    images, fine = {'README': b'', 'license.txt': b''}, {'README': b''}
    objects = [('road', LARGE), ('cargroup', SMALL)]
    for part, city in (('train', 'aachen'), ('val', 'munster'), ('test', 'berlin')):
        name = f'{part}/{city}/{city}_000000_000019'
        images[f'leftImg8bit/{name}_leftImg8bit.png'] = noise('.png')
        fine[f'gtFine/{name}_gtFine_polygons.json'] = city_json(objects).encode()
        fine[f'gtFine/{name}_gtFine_color.png'] = noise('.png')
    return (
        write_zip(folder / 'leftImg8bit_trainvaltest.zip', images),
        write_zip(folder / 'gtFine_trainvaltest.zip', fine),
    )


def labels_at(path):
    labels = cv2.imread(str(path), -1)
    assert labels is not None
    return labels
