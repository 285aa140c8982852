"""Exports that the annotation tools wrote themselves, read without an option."""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from sctnet.datasets.new import new_project

EXPORTS = Path(__file__).parents[2] / 'golden' / 'exports'
CLASSES = ('background', 'sofa', 'lamp', 'cat')
NAMES = ('room 1', 'küche-2', 'room3', 'room4')

# Archive: what it is taken for, and whether it holds masks, so that each pixel must
# agree; else outlines are drawn, and edges may be a pixel off.
CASES = {
    'datumaro_camvid': ('4 images with colour masks', True),
    'datumaro_cityscapes': ("Cityscapes' layout, with its *_gtFine_labelIds", True),
    'datumaro_coco': ("JSON files of COCO's form, with the parts train, val", False),
    'datumaro_coco_panoptic': ("JSON files of COCO's panoptic form", True),
    'datumaro_cvat': ("CVAT's XML for images", False),
    'datumaro_kitti': ("KITTI's layout", True),
    'datumaro_voc': ("Pascal VOC's layout", True),
    'label_studio_brush': ("Label Studio's, 1 JSON file of tasks and 9 brush", True),
    'label_studio_coco': ("1 JSON file of COCO's form", False),
    'label_studio_json': ("Label Studio's, 1 JSON file of tasks", True),
    'label_studio_json_mixed': ("Label Studio's, 1 JSON file of tasks", False),
    'labelme': ("4 JSON files of labelme's form", False),
    'pycocotools_coco': ("1 JSON file of COCO's form", True),
    'supervision_coco': ("1 JSON file of COCO's form", False),
    'supervision_yolo': ("YOLO's text files", False),
}


def _unpack(name, folder):
    with zipfile.ZipFile(EXPORTS / f'{name}.zip') as archive:
        archive.extractall(folder)
    return folder


def _read(file):
    return np.array(Image.open(file))


@pytest.mark.parametrize('name', CASES)
def test_an_export_becomes_the_scene(tmp_path, name):
    truth = _unpack('truth', tmp_path / 'truth')
    made = new_project(_unpack(name, tmp_path / name), tmp_path / 'out', val=0.25)
    summary = json.loads((made.root / 'dataset.json').read_text(encoding='utf-8'))
    said, of_masks = CASES[name]
    assert said in made.said[0]
    assert made.failed == []
    assert sorted(summary['classes'])[:4] == sorted(CLASSES), made.said
    index = np.full(256, 255, np.uint8)
    index[: len(summary['classes'])] = [CLASSES.index(c) for c in summary['classes']]
    assert summary['images'] == {'train': 3, 'val': 1, 'test': 0}
    found = {file.stem: file for file in (made.root / 'labels').glob('*/*.png')}
    assert len(found) == len(NAMES)
    for stem in NAMES:
        # Label Studio puts eight letters before a name, and _ for a space.
        file = next(
            f
            for s, f in found.items()
            if s.endswith(stem.replace(' ', '_')) or s == stem
        )
        wanted, labels = _read(truth / f'{stem}.png'), index[_read(file)]
        if name == 'datumaro_coco_panoptic':
            wanted[wanted == 0] = 255  # what no segment covers
        if name == 'label_studio_coco':
            wanted[wanted == CLASSES.index('cat')] = 0  # brushed: it is not in there
        if not of_masks:
            _compare_edges(labels, wanted)
        else:
            np.testing.assert_array_equal(labels, wanted)


def _compare_edges(labels, wanted):
    """See that what differs lies at an edge of the truth."""
    cross = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
    edges = cv2.dilate(wanted, cross) != cv2.erode(wanted, cross)
    assert (labels == wanted)[~edges].all()
    assert set(np.unique(labels)) == set(np.unique(wanted))


def test_single_files_and_images_elsewhere(tmp_path):
    for name, file in (('datumaro_cvat', '*.xml'), ('label_studio_json', '*.json')):
        root = _unpack(name, tmp_path / name)
        (annotations, *_) = root.rglob(file)
        elsewhere = tmp_path / f'{name} elsewhere'
        for image in [*root.rglob('*.png'), *root.rglob('*.jpg')]:
            elsewhere.mkdir(exist_ok=True)
            image.rename(elsewhere / image.name)
        out = tmp_path / f'{name} out'
        made = new_project(annotations, out, images=str(elsewhere), val=0.25)
        assert list(made.root.glob('labels/val/*.png'))
