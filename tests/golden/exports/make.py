"""Writes the exports of this folder with the annotation tools' own code.

Run it in an environment of its own (README.md names the versions):
  python make.py FOLDER

The scene is the same everywhere: four pictures of 96x64 pixels, ``train`` three and
``val`` one, each with a sofa, a lamp upon the sofa, and in the first a cat.
"""

import json
import logging
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import supervision as sv
from datumaro import Dataset, DatasetItem, Image
from datumaro.components.annotation import (
    AnnotationType,
    LabelCategories,
    Mask,
    MaskCategories,
    Polygon,
)
from label_studio_sdk.converter import Converter, brush
from labelme._label_file import write_label_file
from labelme.utils import img_arr_to_b64
from PIL import Image as PillowImage
from pycocotools import mask as run_lengths

CLASSES = ('background', 'sofa', 'lamp', 'cat')
HEIGHT, WIDTH = 64, 96
NAMES = {'room 1': 'train', 'küche-2': 'train', 'room3': 'train', 'room4': 'val'}


def shapes(place):
    """Return (class, mask, polygon) of each object, in the order of drawing."""
    sofa = np.zeros((HEIGHT, WIDTH), bool)
    sofa[30:56, 10 + place : 70 + place] = True
    lamp = np.zeros((HEIGHT, WIDTH), bool)
    lamp[34:44, 20:32] = True
    found = [
        (
            'sofa',
            sofa,
            [10 + place, 30, 70 + place, 30, 70 + place, 56, 10 + place, 56],
        ),
        ('lamp', lamp, [20, 34, 32, 34, 32, 44, 20, 44]),
    ]
    if place == 0:
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        found.append(('cat', (rows - 16) ** 2 + (columns - 60) ** 2 < 100, None))
    return found


def truth(place):
    """Return the label map that a reader must come to."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for name, mask, _ in shapes(place):
        labels[mask] = CLASSES.index(name)
    return labels


def picture(place):
    """Return RGB pixels with a smooth pattern."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    waves = [
        np.sin((rows * a + columns * b + 9 * place) / 17)
        for a, b in ((1, 2), (2, 1), (1, 0))
    ]
    return np.stack([127 + 90 * wave for wave in waves], -1).astype(np.uint8)


def write_truth(out):
    folder = out / 'truth'
    folder.mkdir(parents=True)
    for place, name in enumerate(NAMES):
        PillowImage.fromarray(truth(place)).save(folder / f'{name}.png')


def dataset(polygons, names=CLASSES):
    """Return the scene as Datumaro has it."""
    items = []
    for place, (name, part) in enumerate(NAMES.items()):
        annotations = []
        for order, (kind, mask, polygon) in enumerate(shapes(place)):
            common = {
                'label': names.index(kind),
                'z_order': order,
                'id': order + 1,
                'group': order + 1,
            }
            if polygons and polygon is not None:
                annotations.append(Polygon(polygon, **common))
            else:
                annotations.append(Mask(mask.astype(np.uint8), **common))
        items.append(
            DatasetItem(
                id=name,
                subset=part,
                media=Image.from_numpy(picture(place)[..., ::-1], ext='.jpg'),
                annotations=annotations,
            )
        )
    categories = {
        AnnotationType.label: LabelCategories.from_iterable(names),
        AnnotationType.mask: MaskCategories.generate(len(names)),
    }
    return Dataset.from_iterable(items, categories=categories)


def write_datumaro(out):
    things = CLASSES[1:]
    for folder, form, polygons, names in (
        ('datumaro_coco', 'coco_instances', True, things),
        ('datumaro_coco_panoptic', 'coco_panoptic', False, CLASSES),
        ('datumaro_voc', 'voc_segmentation', False, CLASSES),
        ('datumaro_camvid', 'camvid', False, CLASSES),
        ('datumaro_cityscapes', 'cityscapes', False, CLASSES),
        ('datumaro_kitti', 'kitti_segmentation', False, CLASSES),
        ('datumaro_cvat', 'cvat', True, things),
    ):
        dataset(polygons, names).export(str(out / folder), form, save_media=True)


def write_labelme(out):
    folder = out / 'labelme'
    folder.mkdir(parents=True)
    for place, name in enumerate(NAMES):
        PillowImage.fromarray(picture(place)).save(folder / f'{name}.jpg')
        written = []
        for kind, mask, polygon in shapes(place):
            if polygon is None:
                rows, columns = np.nonzero(mask)
                box = rows.min(), columns.min(), rows.max(), columns.max()
                points = [[int(box[1]), int(box[0])], [int(box[3]), int(box[2])]]
                inside = mask[box[0] : box[2] + 1, box[1] : box[3] + 1]
                shape = {
                    'shape_type': 'mask',
                    'points': points,
                    'mask': img_arr_to_b64(inside.astype(np.uint8)),
                }
            else:
                points = [
                    list(map(float, pair))
                    for pair in zip(polygon[::2], polygon[1::2], strict=True)
                ]
                # The sofa by its two corners, the lamp as labelme 6 turns one.
                shape = (
                    {'shape_type': 'rectangle', 'points': points[::2], 'mask': None}
                    if kind == 'sofa'
                    else {
                        'shape_type': 'oriented_rectangle',
                        'points': points,
                        'mask': None,
                    }
                )
            written.append(
                dict(label=kind, description='', flags={}, group_id=None, **shape)
            )
        write_label_file(
            str(folder / f'{name}.json'),
            shapes=written,
            image_path=f'{name}.jpg',
            image_height=HEIGHT,
            image_width=WIDTH,
            image_data=(folder / f'{name}.jpg').read_bytes() if place == 1 else None,
            flags={},
        )


TIME = '2026-11-01T10:00:00Z'
STAMPS = {'created_at': TIME, 'updated_at': TIME}
CONFIG = """<View>
  <Image name="image" value="$image" zoom="true"/>
  <BrushLabels name="tag" toName="image">
    <Label value="sofa"/><Label value="lamp"/><Label value="cat"/>
  </BrushLabels>
  <PolygonLabels name="outline" toName="image">
    <Label value="sofa"/><Label value="lamp"/><Label value="cat"/>
  </PolygonLabels>
</View>"""


def tasks(brushed):
    """Return tasks as the server exports them; with None without the cat's mask."""
    found = []
    for place, name in enumerate(NAMES):
        results = []
        for order, (kind, mask, polygon) in enumerate(shapes(place)):
            common = {
                'id': f'r{place}{order}',
                'to_name': 'image',
                'origin': 'manual',
                'original_width': WIDTH,
                'original_height': HEIGHT,
                'image_rotation': 0,
            }
            if brushed is None and polygon is None:
                continue
            if brushed or polygon is None:
                value = {
                    'format': 'rle',
                    'rle': brush.mask2rle(mask.astype(np.uint8) * 255),
                    'brushlabels': [kind],
                }
                results.append(
                    dict(common, from_name='tag', type='brushlabels', value=value)
                )
            else:
                points = [
                    [100 * x / WIDTH, 100 * y / HEIGHT]
                    for x, y in zip(polygon[::2], polygon[1::2], strict=True)
                ]
                value = {'points': points, 'closed': True, 'polygonlabels': [kind]}
                results.append(
                    dict(common, from_name='outline', type='polygonlabels', value=value)
                )
        found.append(
            dict(
                id=11 + place,
                data={
                    'image': f'/data/upload/3/{place}a1b2c3d-'
                    + f'{name.replace(" ", "_")}.jpg'
                },
                annotations=[
                    dict(
                        id=31 + place,
                        completed_by={'id': 1, 'email': 'ann@example.org'},
                        result=results,
                        was_cancelled=False,
                        ground_truth=False,
                        **STAMPS,
                    )
                ],
                predictions=[],
                project=3,
                meta={},
                **STAMPS,
            )
        )
    return found


def write_label_studio(out):
    """A project's JSON and its files, and what the SDK converts it to."""
    for folder, brushed, form in (
        ('label_studio_brush', True, 'BRUSH_TO_PNG'),
        ('label_studio_json', True, None),
        ('label_studio_json_mixed', False, None),
        ('label_studio_coco', None, 'COCO'),
    ):
        place = out / folder
        (place / 'images').mkdir(parents=True)
        listed = tasks(brushed)
        for number, task in enumerate(listed):
            name = Path(task['data']['image']).name
            PillowImage.fromarray(picture(number)).save(place / 'images' / name)
        file = place / 'project-3-at-2026-11-01-10-00.json'
        file.write_text(json.dumps(listed))
        if form:
            images = str(place / 'images')
            converter = Converter(
                CONFIG, None, upload_dir=images, download_resources=False
            )
            converter.convert(str(file), str(place), form, is_dir=False)
        if form == 'COCO':
            file.unlink()  # the export has result.json alone


def write_pycocotools(out):
    """COCO as CVAT writes brushed masks: run lengths, each of them a crowd."""
    folder = out / 'pycocotools_coco'
    (folder / 'images').mkdir(parents=True)
    images, annotations = [], []
    for place, name in enumerate(NAMES):
        PillowImage.fromarray(picture(place)).save(folder / 'images' / f'{name}.jpg')
        images.append(
            {
                'id': place + 1,
                'width': WIDTH,
                'height': HEIGHT,
                'file_name': f'{name}.jpg',
            }
        )
        for kind, inside, _ in shapes(place):
            runs = run_lengths.encode(np.asfortranarray(inside, np.uint8))
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': place + 1,
                    'category_id': CLASSES.index(kind),
                    'segmentation': {
                        'size': runs['size'],
                        'counts': runs['counts'].decode(),
                    },
                    'area': float(run_lengths.area(runs)),
                    'bbox': run_lengths.toBbox(runs).tolist(),
                    'iscrowd': 1,
                }
            )
    kinds = [
        {'id': i, 'name': n, 'supercategory': ''} for i, n in enumerate(CLASSES) if i
    ]
    content = {'images': images, 'annotations': annotations, 'categories': kinds}
    (folder / 'instances_default.json').write_text(json.dumps(content))


def write_supervision(out):
    folder = out / 'supervision_yolo'
    source = Path(tempfile.mkdtemp())
    images, annotations = [], {}
    for place, name in enumerate(NAMES):
        path = source / f'{name}.jpg'
        PillowImage.fromarray(picture(place)).save(path)
        images.append(str(path))
        masks = np.stack([mask for _, mask, _ in shapes(place)])
        annotations[str(path)] = sv.Detections(
            xyxy=sv.mask_to_xyxy(masks),
            mask=masks,
            class_id=np.array(
                [CLASSES.index(kind) - 1 for kind, _, _ in shapes(place)]
            ),
        )
    found = sv.DetectionDataset(list(CLASSES[1:]), images, annotations)
    found.as_yolo(
        str(folder / 'images'), str(folder / 'labels'), str(folder / 'data.yaml')
    )
    coco = out / 'supervision_coco'
    found.as_coco(str(coco / 'images'), str(coco / 'annotations.json'))


def pack(folder):
    """Make an archive of a folder, as users download one, and delete the folder."""
    with zipfile.ZipFile(f'{folder}.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob('*')):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    shutil.rmtree(folder)


def main(out):
    logging.disable(logging.WARNING)
    writers = (write_datumaro, write_labelme, write_label_studio, write_pycocotools)
    for write in (write_truth, *writers, write_supervision):
        write(out)
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        pack(folder)


if __name__ == '__main__':
    main(Path(sys.argv[1]))
