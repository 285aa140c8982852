"""Small data sets in foreign formats, of rectangles whose label maps are known."""

import json
import zipfile

import cv2
import numpy as np

HEIGHT, WIDTH = 72, 96
SIZE = (HEIGHT, WIDTH)
# Rows and columns [top, bottom), [left, right) of two rectangles that overlap.
LARGE = (slice(10, 60), slice(20, 80))
SMALL = (slice(30, 50), slice(70, 90))


def picture(path, seed=0, size=SIZE):
    """Write noise; a PNG or JPEG by the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    assert cv2.imwrite(str(path), noise)
    return path


def broken_picture(path):
    """Write a JPEG that is cut in the middle."""
    data = picture(path).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def expected(*drawn, fill=0):
    """A label map of (rectangle, label) drawn one over the other."""
    labels = np.full(SIZE, fill, np.uint8)
    for rectangle, label in drawn:
        labels[rectangle] = label
    return labels


def labels_of(out, name, part='train'):
    (path,) = out.glob(f'labels/{part}/{name}.png')
    labels = cv2.imread(str(path), -1)
    assert labels is not None
    assert labels.dtype == np.uint8
    return labels


def made(out):
    """All files below ``out``, as they are named from there."""
    return sorted(
        path.relative_to(out).as_posix() for path in out.rglob('*') if path.is_file()
    )


def by_name(folder):
    """All files below ``folder``: name from there to bytes."""
    return {name: (folder / name).read_bytes() for name in made(folder)}


def outline(rectangle):
    """A rectangle's corners between pixels: COCO's x, y, x, y, ..."""
    rows, columns = rectangle
    left, right, top, bottom = columns.start, columns.stop, rows.start, rows.stop
    return [left, top, right, top, right, bottom, left, bottom]


def corners(rectangle):
    """A rectangle's corner pixels, which Pillow's drawing includes: [[x, y], ...]."""
    rows, columns = rectangle
    left, right = columns.start, columns.stop - 1
    top, bottom = rows.start, rows.stop - 1
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def coco_json(path, annotations, images=('a.jpg',), categories=None):
    """A COCO file; an annotation is (image's number, category, segmentation, ...)."""
    rows = [
        {
            'id': number,
            'image_id': row[0],
            'category_id': row[1],
            'segmentation': row[2],
            'iscrowd': row[3] if len(row) > 3 else 0,
        }
        for number, row in enumerate(annotations)
    ]
    entries = [
        {'id': number, 'file_name': name, 'height': HEIGHT, 'width': WIDTH}
        for number, name in enumerate(images)
    ]
    categories = categories or {7: 'wall', 3: 'floor'}
    kinds = [{'id': number, 'name': name} for number, name in categories.items()]
    value = {'images': entries, 'annotations': rows, 'categories': kinds}
    return write_json(path, value)


def labelme_json(path, shapes, image='a.jpg', **more):
    """A labelme file; a shape is (label, kind, points)."""
    value = {
        'version': '5.5.0',
        'flags': {},
        'shapes': [
            {'label': label, 'shape_type': kind, 'points': points}
            for label, kind, points in shapes
        ],
        'imagePath': image,
        'imageData': None,
        'imageHeight': HEIGHT,
        'imageWidth': WIDTH,
        **more,
    }
    return write_json(path, value)


def city_json(objects):
    """The text of Cityscapes polygons; an object is (label, rectangle)."""
    rows = [{'label': label, 'polygon': corners(where)} for label, where in objects]
    return json.dumps({'imgHeight': HEIGHT, 'imgWidth': WIDTH, 'objects': rows})


def write_zip(path, members):
    """An archive of names and bytes."""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path
