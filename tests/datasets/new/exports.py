"""Small data sets in the forms in which tools export them."""

import json

import cv2
import numpy as np

HEIGHT, WIDTH = 72, 96
COLOURS = {'background': (0, 0, 0), 'door': (255, 96, 55), 'wall': (51, 221, 255)}


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def picture(path, seed):
    """Noise whose upper left corner tells the number, also as a JPEG."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    image = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    image[:16, :16] = 20 * seed
    write(path, image)


def number_of(path):
    """The number that a picture was made with."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return round(image[:16, :16].astype(float).mean() / 20)


def labels(number):
    """A door in a wall, on the background."""
    found = np.zeros((HEIGHT, WIDTH), np.uint8)
    found[10:60, 10:80] = 2
    found[30:60, 20 + number : 40 + number] = 1
    return found


def rectangle(left, top, right, bottom):
    return [left, top, right, top, right, bottom, left, bottom]


def instances(names, crowds=False, first=0):
    """COCO's JSON of a door in a wall in each image, polygons or masks."""
    content = {
        'info': {}, 'licenses': [],
        'categories': [{'id': 1, 'name': 'door'}, {'id': 2, 'name': 'wall'}],
        'images': [], 'annotations': [],
    }  # fmt: skip
    for number, name in enumerate(names, first):
        content['images'].append(
            {'id': number, 'file_name': name, 'width': WIDTH, 'height': HEIGHT}
        )
        for label in (2, 1):
            mask = labels(number) == label
            shape = (
                {'size': [HEIGHT, WIDTH], 'counts': run_lengths(mask)}
                if crowds
                else [polygon(number, label)]
            )
            content['annotations'].append({
                'id': len(content['annotations']) + 1, 'image_id': number,
                'category_id': label, 'segmentation': shape,
                'area': float(mask.sum()), 'bbox': [0, 0, WIDTH, HEIGHT],
                'iscrowd': int(crowds),
            })  # fmt: skip
    return content


def polygon(number, label):
    if label == 2:
        return rectangle(10, 10, 80, 60)
    return rectangle(20 + number, 30, 40 + number, 60)


def run_lengths(mask):
    """Lengths of runs down the columns, zeros first, as CVAT writes them."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat.astype(int), prepend=0)).tolist()
    return np.diff([0, *edges, flat.size]).tolist()


def roboflow(root):
    """COCO Segmentation of Roboflow: a JSON in each part, beside its images."""
    for part, count in (('train', 4), ('valid', 2), ('test', 2)):
        names = [f'{part}{n}_jpg.rf.{n:032x}.jpg' for n in range(count)]
        for seed, name in enumerate(names):
            picture(root / part / name, seed)
        content = instances(names, first=0)
        # Its parent category, of which nothing is ever annotated.
        for category in content['categories']:
            category['supercategory'] = 'rooms'
        content['categories'].insert(
            0, {'id': 0, 'name': 'rooms', 'supercategory': 'none'}
        )
        (root / part / '_annotations.coco.json').write_text(json.dumps(content))


def cvat_coco(root):
    """COCO 1.0 of CVAT, of brush masks: every one is a crowd."""
    names = [f'room_{n}.png' for n in range(6)]
    for seed, name in enumerate(names):
        picture(root / 'images' / 'default' / name, seed)
    (root / 'annotations').mkdir()
    file = root / 'annotations' / 'instances_default.json'
    file.write_text(json.dumps(instances(names, crowds=True)))


def cvat_masks(root):
    """Segmentation mask 1.1 of CVAT."""
    for n in range(6):
        picture(root / 'JPEGImages' / f'room {n}.jpg', n)
        table = np.array([colour[::-1] for colour in COLOURS.values()], np.uint8)
        write(root / 'SegmentationClass' / f'room {n}.png', table[labels(n)])
        write(root / 'SegmentationObject' / f'room {n}.png', table[labels(n)])
    lists = root / 'ImageSets' / 'Segmentation'
    lists.mkdir(parents=True)
    (lists / 'default.txt').write_text(''.join(f'room {n}\n' for n in range(6)))
    rows = (f'{name}:{r},{g},{b}::\n' for name, (r, g, b) in COLOURS.items())
    text = '# label:color_rgb:parts:actions\n' + ''.join(rows)
    (root / 'labelmap.txt').write_text(text)


def label_studio(root):
    """COCO of Label Studio: result.json, whose names begin with a folder."""
    names = [f'images/{n:08x}-room.jpg' for n in range(5)]
    for seed, name in enumerate(names):
        picture(root / name, seed)
    (root / 'result.json').write_text(json.dumps(instances(names, first=0)))


def roboflow_masks(root):
    """Semantic Segmentation Masks of Roboflow, with its table of the values."""
    for part, count in (('train', 4), ('valid', 2)):
        for n in range(count):
            picture(root / part / f'{part}{n}_jpg.rf.{n:032x}.jpg', n)
            write(root / part / f'{part}{n}_jpg.rf.{n:032x}_mask.png', labels(n))
        rows = 'Pixel Value, Class\n0, background\n1, door\n2, wall\n'
        (root / part / '_classes.csv').write_text(rows)


def camvid(root):
    """SegNet's CamVid: train, trainannot, and so on; 11 is void."""
    for part, count in (('train', 4), ('val', 2), ('test', 2)):
        for n in range(count):
            picture(root / part / f'0001TP_{part}{n}.png', n)
            write(root / f'{part}annot' / f'0001TP_{part}{n}.png', labels(n))
    (root / 'classes.txt').write_text('background\ndoor\nwall\n')


def flat_folders(root):
    """Photographs in one folder, index masks in another."""
    for n in range(6):
        picture(root / 'images' / f'image_{n:04}.jpg', n)
        write(root / 'masks' / f'gt_{n:04}.png', labels(n))


def binary(root):
    """Photographs with masks of 0 and 255 beside them."""
    for n in range(6):
        picture(root / f'IMG_{n}.JPG', n)
        write(root / f'IMG_{n}_mask.png', np.where(labels(n) == 1, 255, 0))


def four_bands(root):
    """PNG of four bands of 16 bits, 12 of them used, and index masks."""
    for n in range(6):
        rng = np.random.default_rng(n)
        bands = rng.integers(0, 4096, (HEIGHT, WIDTH, 4)).astype(np.uint16)
        bands[:16, :16] = 20 * n
        write(root / 'images' / f'{n}.png', bands)
        write(root / 'masks' / f'{n}.png', labels(n))


def geo_tiles(root):
    """GeoTIFFs of four bands, 12 bits in 16, as GDAL writes them, and index masks."""
    import tifffile

    place = [
        (33550, 'd', 3, (10.0, 10.0, 0.0)),
        (33922, 'd', 6, (0.0, 0.0, 0.0, 4e5, 5e6, 0.0)),
    ]
    for n in range(8):
        rng = np.random.default_rng(n)
        classes = np.zeros((128, 128), np.uint8)
        top, left = rng.integers(0, 64, 2)
        classes[top : top + 64, left : left + 64] = 1
        bands = rng.integers(200, 900, (128, 128, 4)).astype(np.uint16)
        bands[classes == 1, 3] += 3000
        bands[0, 0, 3] = 3899
        write(root / 'masks' / f'tile_{n}.png', classes)
        (root / 'images').mkdir(exist_ok=True)
        tifffile.imwrite(
            root / 'images' / f'tile_{n}.tif',
            bands,
            photometric='minisblack',
            planarconfig='contig',
            extratags=place,
            tile=(64, 64),
            compression='deflate',
        )
