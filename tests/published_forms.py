"""Small data sets in the forms in which competitions and publishers give them out.

Each writer returns the label maps that its images must get, by the name of the image.
"""

import cv2
import numpy as np
from conversion_sources import (
    HEIGHT,
    LARGE,
    SIZE,
    SMALL,
    WIDTH,
    expected,
    outline,
    picture,
    write_json,
)  # fmt: skip


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def runs(*drawn, by_rows=False):
    """Pairs of start, from 1, and length, of rectangles: down the columns."""
    mask = expected(*((where, 1) for where in drawn))
    flat = np.pad((mask if by_rows else mask.T).ravel(), 1).astype(int)
    starts, ends = (np.flatnonzero(np.diff(flat) == step) + 1 for step in (1, -1))
    return ' '.join(f'{a} {b - a}' for a, b in zip(starts, ends, strict=True))


def airbus(root):
    """Airbus Ship Detection: a line a ship, sorted by image, empty without ships.

    kaggle.com/c/airbus-ship-detection/data, train_ship_segmentations_v2.csv.
    """
    for seed, name in enumerate(('00003e153', '0001124c7', '000155de5', '000194a2d')):
        picture(root / f'train_v2/{name}.jpg', seed)
    picture(root / 'test_v2/00002bd58.jpg', 9)
    left, right = (slice(5, 15), slice(5, 15)), (slice(20, 70), slice(60, 90))
    lines = [
        ('00003e153.jpg', ''), ('0001124c7.jpg', ''), ('000155de5.jpg', runs(LARGE)),
        ('000194a2d.jpg', runs(left)), ('000194a2d.jpg', runs(right)),
    ]  # fmt: skip
    csv(root / 'train_ship_segmentations_v2.csv', ('ImageId', 'EncodedPixels'), lines)
    sample = [('00002bd58.jpg', '1 2')]
    csv(root / 'sample_submission_v2.csv', ('ImageId', 'EncodedPixels'), sample)
    return {
        '00003e153': expected(), '0001124c7': expected(),
        '000155de5': expected((LARGE, 1)),
        '000194a2d': expected((left, 1), (right, 1)),
    }  # fmt: skip


def csv(path, heading, lines):
    rows = [','.join(heading), *(','.join(line) for line in lines)]
    path.write_text('\n'.join(rows) + '\n')
    return path


def coco_panoptic(root, parts=('train', 'val')):
    """COCO 2017's: annotations/panoptic_val2017.json, and PNGs in its folder.

    cocodataset.org/#format-data, 4. Panoptic Segmentation.
    """
    categories = [
        {'supercategory': 'person', 'isthing': 1, 'id': 1, 'name': 'person'},
        {'supercategory': 'vehicle', 'isthing': 1, 'id': 3, 'name': 'car'},
        {'supercategory': 'building', 'isthing': 0, 'id': 200, 'name': 'rug-merged'},
    ]
    labels = {}
    for part, first in zip(parts, (9, 139), strict=False):
        images, annotations = [], []
        for number in range(first, first + 3):
            name = f'{number:012}'
            picture(root / f'{part}2017/{name}.jpg', number)
            images.append({
                'license': 3, 'file_name': f'{name}.jpg', 'height': HEIGHT,
                'width': WIDTH, 'coco_url': f'http://images.cocodataset.org/{name}.jpg',
                'date_captured': '2013-11-21 01:34:01', 'id': number,
            })  # fmt: skip
            # Ids of all three channels, one of them of a crowd.
            ids = {3226956: (LARGE, 200), 7000 + number: (SMALL, 1), 300: (CORNER, 3)}
            shown = np.zeros((*SIZE, 3), np.uint8)
            for one, (where, _) in ids.items():
                shown[where] = one >> 16, one >> 8 & 255, one & 255  # B, G, R
            png = root / f'annotations/panoptic_{part}2017/{name}.png'
            write(png, shown)
            annotations.append({
                'segments_info': [
                    {'id': one, 'category_id': kind, 'iscrowd': int(one == 300),
                     'bbox': [1, 2, 3, 4], 'area': 7}
                    for one, (_, kind) in ids.items()
                ],
                'file_name': f'{name}.png', 'image_id': number,
            })  # fmt: skip
            drawn = ((LARGE, 2), (SMALL, 0), (CORNER, 1))
            labels[name] = expected(*drawn, fill=255)
        info = {'description': 'COCO 2018 Panoptic Dataset', 'version': '1.0'}
        write_json(root / f'annotations/panoptic_{part}2017.json', {
            'info': info, 'licenses': [], 'images': images,
            'annotations': annotations, 'categories': categories,
        })  # fmt: skip
    return labels


CORNER = (slice(0, 8), slice(0, 8))


def shares(where):
    """An outline as YOLO writes it: shares of the width and the height, six digits."""
    points = np.reshape(outline(where), (-1, 2)) / (WIDTH, HEIGHT)
    return ' '.join(f'{number:.6f}' for number in points.ravel())


def yolo_ultralytics(root):
    """docs.ultralytics.com/datasets/segment, as coco8-seg.yaml of 8.3 has it."""
    labels = {}
    for part in ('train', 'val'):
        for n in range(3):
            name = f'{part}{n}'
            picture(root / f'images/{part}/{name}.jpg', n)
            file = root / f'labels/{part}/{name}.txt'
            file.parent.mkdir(parents=True, exist_ok=True)
            if n == 0:
                file.write_text(f'1 {shares(SMALL)}\n0 {shares(LARGE)}\n')
                labels[name] = expected((LARGE, 1), (SMALL, 2))
            elif n == 1:
                file.write_text('')  # nothing to see; a third has no file
        labels |= {f'{part}1': expected(), f'{part}2': expected()}
    (root / 'coco8-seg.yaml').write_text(
        '# Ultralytics YOLO\n'
        'path: ../datasets/coco8-seg # dataset root dir\n'
        'train: images/train # train images (relative to path) 4 images\n'
        'val: images/val\ntest: # test images (optional)\n\n'
        'names:\n  0: person\n  1: traffic light\n\n'
        'download: exec("raise SystemExit")\n'
    )
    return labels


def yolo_roboflow(root):
    """Roboflow's YOLOv8 export: its paths begin one folder too high, no test part."""
    labels = {}
    for part, count in (('train', 3), ('valid', 2)):
        for n in range(count):
            name = f'{part}{n}_jpg.rf.{n:032x}'
            picture(root / f'{part}/images/{name}.jpg', n)
            file = root / f'{part}/labels/{name}.txt'
            file.parent.mkdir(parents=True, exist_ok=True)
            box = '0 0.5 0.5 0.2 0.2\n' if n == 0 else ''
            file.write_text(f'{box}1 {shares(LARGE)}')
            labels[name] = expected((LARGE, 2))
    (root / 'data.yaml').write_text(
        'train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\n'
        "nc: 2\nnames: ['door', 'wall']\n\n"
        'roboflow:\n  workspace: rooms\n  project: rooms\n  version: 1\n'
    )
    return labels


def yolo_cvat(root):
    """CVAT's Ultralytics YOLO Segmentation 1.0: a list of the part's images."""
    names = [f'room {n}' for n in range(4)]
    for n, name in enumerate(names):
        picture(root / f'images/train/{name}.png', n)
        file = root / f'labels/train/{name}.txt'
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'0 {shares(SMALL)}\n')
    lines = (f'images/train/{name}.png\n' for name in names)
    (root / 'train.txt').write_text(''.join(lines))
    (root / 'data.yaml').write_text('names:\n  0: wall\npath: .\ntrain: train.txt\n')
    return dict.fromkeys(names, expected((SMALL, 1)))


def mvtec_ad(root, category='bottle', kinds=('broken_large', 'contamination')):
    """mvtec.com/company/research/datasets/mvtec-ad: readme.txt of one category."""
    labels = {}
    folder = root / category
    for n in range(3):
        picture(folder / f'train/good/{n:03}.png', n)
        picture(folder / f'test/good/{n:03}.png', 10 + n)
        labels[f'train_good_{n:03}'] = labels[f'test_good_{n:03}'] = expected()
        for label, kind in enumerate(kinds, 1):
            picture(folder / f'test/{kind}/{n:03}.png', 20 * label + n)
            mask = 255 * expected((SMALL, 1))
            write(folder / f'ground_truth/{kind}/{n:03}_mask.png', mask)
            labels[f'test_{kind}_{n:03}'] = expected((SMALL, label))
    (folder / 'license.txt').write_text('CC BY-NC-SA 4.0\n')
    return labels


def vistas(root, versions=('v1.2', 'v2.0')):
    """Mapillary Vistas 2.0, README: both versions of the labels beside each other."""
    labels = {}
    rows = [
        ('animal--bird', 'Bird', [165, 42, 42], True),
        ('construction--flat--road', 'Road', [128, 64, 128], True),
        ('void--unlabeled', 'Unlabeled', [0, 0, 0], False),
    ]
    for part in ('training', 'validation'):
        for n in range(3):
            name = f'{part}{n}-_x7Wbp'
            picture(root / f'{part}/images/{name}.jpg', n)
            values = expected((LARGE, 1), (SMALL, 0), fill=2)
            for version in versions:
                place = root / part / version
                write(place / f'labels/{name}.png', values)
                write(place / f'instances/{name}.png', values.astype(np.uint16) << 8)
                write(place / f'panoptic/{name}.png', np.dstack([values] * 3))
            labels[name] = expected((LARGE, 1), (SMALL, 0), fill=255)
    picture(root / 'testing/images/test0-_x7Wbp.jpg', 7)
    for version in versions:
        listed = [
            {'color': colour, 'instances': False, 'readable': readable, 'name': name,
             'evaluate': evaluate}
            for name, readable, colour, evaluate in rows
        ]  # fmt: skip
        folder = f'Mapillary Vistas {version}'
        content = {'labels': listed, 'version': version, 'mapping': 'public',
                   'folder_structure': folder}  # fmt: skip
        write_json(root / f'config_{version}.json', content)
    return labels
