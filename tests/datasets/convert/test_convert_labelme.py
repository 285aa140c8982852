"""labelme's files to label maps, against rectangles and a circle's equation."""

import base64
import io

import cv2
import numpy as np
import pytest
from conversion_sources import (
    HEIGHT,
    LARGE,
    SIZE,
    SMALL,
    WIDTH,
    broken_picture,
    corners,
    expected,
    labelme_json,
    labels_of,
    made,
    picture,
)  # fmt: skip
from PIL import Image

from sctnet.datasets.convert import convert

same = np.testing.assert_array_equal
CORNER = (slice(0, 5), slice(0, 5))
WALL = [('wall', 'polygon', corners(LARGE))]


@pytest.fixture
def run(tmp_path):
    """A function that converts ``tmp_path/source``, where a.jpg is, with shapes."""
    picture(tmp_path / 'source' / 'a.jpg')

    def convert_source(shapes=None, out='out', **options):
        if shapes is not None:
            labelme_json(tmp_path / 'source/a.json', shapes)
        source, out = tmp_path / 'source', tmp_path / out
        return convert('labelme', source, out, workers=0, val=0, **options), out

    return convert_source


def test_shapes_become_their_pixels_with_the_later_on_top(run):
    first, _, third, _ = corners(LARGE)  # from the lower right, as one may drag it
    shapes = [
        ('wall', 'polygon', corners(SMALL)),
        ('floor', 'rectangle', [third, first]),
    ]
    result, out = run(shapes)
    assert result.classes == ('background', 'floor', 'wall')
    same(labels_of(out, 'a'), expected((SMALL, 2), (LARGE, 1)))
    # labelme's own names are the background and 255.
    shapes = [
        *WALL,
        ('_background_', 'polygon', corners(SMALL)),
        ('__ignore__', 'polygon', corners(CORNER)),
    ]
    result, out = run(shapes, 'own')
    assert result.classes == ('background', 'wall')
    same(labels_of(out, 'a'), expected((LARGE, 1), (SMALL, 0), (CORNER, 255)))


def test_a_circle_is_round_its_centre(run):
    _, out = run([('wall', 'circle', [[40, 30], [40, 50]])])
    rows, columns = np.indices(SIZE)
    distance = np.hypot(rows - 30, columns - 40)
    labels = labels_of(out, 'a')
    assert (labels[distance <= 19.5] == 1).all()
    assert (labels[distance >= 20.8] == 0).all()


@pytest.mark.parametrize('on', [1, 255])  # both have been written
def test_a_mask_is_pasted_at_its_corner(run, tmp_path, on):
    patch = np.zeros((20, 20), np.uint8)
    patch[3:17, 2:19] = on
    shapes = [('wall', 'mask', [[70, 30], [89, 49]])]
    file = labelme_json(tmp_path / 'source/a.json', shapes)
    code = base64.b64encode(cv2.imencode('.png', patch)[1].tobytes()).decode()
    file.write_text(
        file.read_text().replace('"shape_type"', f'"mask": "{code}", "shape_type"')
    )
    _, out = run()
    same(labels_of(out, 'a'), expected(((slice(33, 47), slice(72, 89)), 1)))


def test_lines_and_points_are_counted_and_give_no_class(run):
    shapes = [
        *WALL,
        ('wall', 'polygon', [[1, 1], [2, 2]]),
        ('crack', 'line', [[1, 1], [50, 50]]),
        ('crack', 'linestrip', [[1, 1], [50, 50], [9, 9]]),
        ('spot', 'point', [[5, 5]]),
        ('wall', 'polygon', corners((slice(90, 99), slice(100, 120)))),
    ]
    result, out = run(shapes)
    assert result.classes == ('background', 'wall')
    same(labels_of(out, 'a'), expected((LARGE, 1)))
    assert result.skipped == {
        'shapes of kind line': 1,
        'shapes of kind linestrip': 1,
        'shapes of kind point': 1,
        'shapes of kind polygon with too few points': 1,
        'shapes without a pixel in the image': 1,
    }


@pytest.mark.parametrize('kind', ['PNG', 'JPEG'])
def test_an_image_inside_the_json_is_written_as_it_was(run, tmp_path, kind):
    buffer = io.BytesIO()
    Image.new('RGB', (WIDTH, HEIGHT), (9, 99, 199)).save(buffer, kind)
    data = base64.b64encode(buffer.getvalue()).decode()
    file = tmp_path / 'source/b.json'
    labelme_json(file, WALL, image='C:\\photos\\b.jpg', imageData=data)
    _, out = run()
    suffix = {'PNG': 'png', 'JPEG': 'jpg'}[kind]
    assert made(out)[1:] == [f'images/train/b.{suffix}', 'labels/train/b.png']
    assert (out / f'images/train/b.{suffix}').read_bytes() == buffer.getvalue()
    same(labels_of(out, 'b'), expected((LARGE, 1)))


def test_an_image_elsewhere_is_found_and_named_after_its_json(run, tmp_path):
    source = tmp_path / 'source'
    picture(tmp_path / 'photo.jpg')
    labelme_json(source / 'x/b.json', WALL, image='..\\..\\photo.jpg')
    # Moved together with its JSON, which names the folder where both were.
    labelme_json(source / 'moved.json', WALL, image='../old/a.jpg')
    # In a folder of its own, with another writing of its name.
    picture(source / 'photos/Tür 1.JPG')
    labelme_json(source / 'json/c.json', WALL, image='C:\\x\\tu\u0308r%201.jpg')
    result, out = run()
    assert [name for name in made(out) if name.startswith('images')] == [
        'images/train/json/c.jpg',
        'images/train/moved.jpg',
        'images/train/x/b.jpg',
    ]
    assert result.skipped['images found by the last part of their name alone'] == 1


def test_an_image_renamed_with_its_json_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in 'ab':
        file = picture(tmp_path / f'in/{name}.JPG').with_suffix('.json')
        labelme_json(file, WALL, f'old {name}.jpg')
    labelme_json(tmp_path / 'in/c.json', WALL, 'd.jpg')
    result = convert('labelme', 'in', 'out', workers=0, val=0)
    assert result.skipped == {"images of their JSON's name, not of that in it": 2}
    assert "image 'in/d.jpg'" in result.failed[0]  # and not in/in


def test_broken_files_among_good_ones_are_named_and_cost_no_other(run, tmp_path):
    source = tmp_path / 'source'
    (source / 'cut.json').write_text('{"shapes": [')
    labelme_json(source / 'missing.json', WALL, 'missing.jpg')
    broken_picture(source / 'broken.jpg')
    labelme_json(source / 'broken.json', WALL, 'broken.jpg')
    labelme_json(source / 'wild.json', [('wall', 'polygon', [[1, 1], [2], 5])])
    rows = [*WALL, ('wall', 'mask', [[1, 1], [5, 5]])]
    labelme_json(source / 'mask.json', rows)
    labelme_json(source / 'small.json', WALL, imageHeight=20)
    labelme_json(source / 'damaged.json', WALL, 'x.jpg', imageData='/9j/nonsense')
    labelme_json(source / 'gif.json', WALL, 'x.jpg', imageData='R0lGODlhAQ==')
    (source / 'other.json').write_text('{"shapes": [{}]}')
    picture(source / 'alone.jpg')
    result, out = run(WALL)
    assert made(out)[1:] == ['images/train/a.jpg', 'labels/train/a.png']
    assert len(result.failed) == 9
    for name, reason in {
        'cut.json': 'is no JSON, or is cut off',
        'missing.jpg': 'cannot be read',
        'broken.jpg': 'is truncated',
        "shape 1 ('wall') of": 'no pairs of numbers',
        "shape 2 ('wall') of": 'in base64',
        "a.jpg': the annotation": 'is for 96x20 pixels',
        'damaged.json': 'is truncated',
        'gif.json': 'is neither PNG nor JPEG',
        'other.json': "no list 'shapes'",
    }.items():
        assert any(name in line and reason in line for line in result.failed), name
    assert result.skipped == {'images without a JSON file': 1}


@pytest.mark.parametrize('kind', ['oriented_rectangle', 'rotation'])
def test_turned_rectangles_are_drawn_as_polygons(run, kind):
    corners = [[48, 10], [80, 36], [48, 62], [16, 36]]
    result, turned = run([('wall', kind, corners)])
    _, polygon = run([('wall', 'polygon', corners)], 'polygon')
    assert not result.skipped
    same(labels_of(turned, 'a'), labels_of(polygon, 'a'))
    assert 1000 < labels_of(turned, 'a').sum() < 2000
