"""Label Studio: JSON, JSON-MIN and brush masks, as label-studio-sdk 2.1.2 writes."""

import base64
import zlib

import cv2
import numpy as np
import pytest
from conversion_sources import (
    HEIGHT,
    LARGE,
    SMALL,
    WIDTH,
    expected,
    labels_of,
    made,
    picture,
    write_json,
)

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.label_studio_tasks import decode_brush
from sctnet.errors import DataError

# What its brush.mask2rle makes of LARGE, and of SMALL without two pixels.
WALL = b'eNpjYMhhsJT+z+/PcPf/Lxvm8v8vPvDe/7/4gHn9v/5hK/RR+QMDAOp+mB0='
DOOR = (
    b'eNpjYMhhsJT+ryfNcLL+D8seZvX/H4Q+8Mz/f8D7gFH9f0Z9hpP/CQqr/5dgM///QPWBpP3/hukN'
    b'Kf//McUxTv7/g7OCzR+/8ITuBgYApZ8/VQ=='
)
STEP = expected((SMALL, 1)).astype(bool)
STEP[30, 70] = STEP[40, 75] = False
NAME = 'door/step-2'  # "/" becomes "-" in the name of a PNG
DRAWN = np.where(STEP, 1, expected((LARGE, 2)))
UPLOADED = '/data/upload/3/0a1b2c3d-r%C3%A4um_1.jpg'


def strokes(text):
    return list(zlib.decompress(base64.b64decode(text)))


def result(kind, label, **value):
    return {
        'id': 'x',
        'type': kind,
        'value': {**value, kind: [label]},
        'origin': 'manual',
        'to_name': 'image',
        'from_name': 'tag',
        'image_rotation': 0,
        'original_width': WIDTH,
        'original_height': HEIGHT,
    }


def brush(label, text):
    return result('brushlabels', label, format='rle', rle=strokes(text))


def task(number, results, image=UPLOADED, annotation=7):
    return {
        'id': number,
        'annotations': [
            {
                'id': annotation,
                'completed_by': 1,
                'was_cancelled': False,
                'result': results,
            }
        ],
        'file_upload': image.rpartition('/')[2],
        'predictions': [],
        'data': {'image': image},
    }


BRUSHES = [brush('wall', WALL), brush(NAME, DOOR)]


@pytest.fixture
def run(tmp_path):
    picture(tmp_path / 'in/photos/räum_1.jpg')

    def make(out='out', source='in', **options):
        options = {'workers': 0, 'val': 0.0, **options}
        return convert('label_studio', tmp_path / source, tmp_path / out, **options)

    return make


def same(out, drawn, name='0a1b2c3d-räum_1'):
    np.testing.assert_array_equal(labels_of(out, name), drawn)


def test_brush_strokes_of_both_json_exports(run, tmp_path):
    write_json(tmp_path / 'in/tasks.json', [task(12, BRUSHES)])
    found = run()
    assert found.classes == ('background', NAME, 'wall')
    same(tmp_path / 'out', DRAWN)
    sizes = {'original_width': WIDTH, 'original_height': HEIGHT}
    small = {
        'image': UPLOADED,
        'id': 12,
        'tag': [{**one['value'], **sizes} for one in BRUSHES],
        'annotator': 1,
        'annotation_id': 7,
    }
    write_json(tmp_path / 'in/tasks.json', [small])
    assert run('min').classes == found.classes
    same(tmp_path / 'min', DRAWN)


def test_a_run_of_values_that_differ_is_decoded():
    # By the frontend's rle-pack: 4 bytes a pixel, of which the last is the opacity.
    values = [0, 0, 0, 255, 9, 8, 7, 0]
    bits = f'{8:032b}{7:05b}' + ''.join(f'{n - 1:04b}' for n in (3, 4, 8, 16))
    bits += '0' + '01' + f'{3:04b}' + ''.join(f'{v:08b}' for v in values[:4])
    bits += '0' + '00' + f'{3:03b}' + ''.join(f'{v:08b}' for v in values[4:])
    bits += '0' * (-len(bits) % 8)
    data = [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]
    assert decode_brush(data, (1, 2)).tolist() == [[255, 0]]
    with pytest.raises(DataError, match='have 2 pixels and the image 3'):
        decode_brush(data, (1, 3))


def test_outlines_are_percents_and_may_be_turned(run, tmp_path):
    corners = [[25, 25], [50, 25], [50, 50], [25, 50]]  # of 96x72 pixels
    results = [
        result('polygonlabels', 'a', points=corners, closed=True),
        result('rectanglelabels', 'b', x=75, y=50, width=12.5, height=25, rotation=90),
        result(
            'ellipselabels', 'c', x=25, y=75, radiusX=12.5, radiusY=12.5, rotation=0
        ),
        result('keypointlabels', 'd', x=1, y=1, width=0.5),
        {'id': 'y', 'type': 'choices', 'value': {'choices': ['indoor']}},
        {'id': 'z', 'type': 'odd', 'value': [1]},
    ]
    write_json(tmp_path / 'in/tasks.json', [task(1, results)])
    found = run()
    assert found.classes == ('background', 'a', 'b', 'c')
    assert found.skipped['results that are no labelled area (keypointlabels)'] == 1
    assert found.skipped['results that are no labelled area (choices)'] == 1
    labels = labels_of(tmp_path / 'out', '0a1b2c3d-räum_1')
    assert (labels[18:36, 24:48] == 1).all()
    assert (labels == 1).sum() == 18 * 24
    # 12 wide and 18 high, turned clockwise about its upper left corner.
    rows, columns = np.nonzero(labels == 2)
    assert (rows.min(), rows.max() + 1) == (36, 48)
    assert (columns.min(), columns.max() + 1) == (54, 72)
    assert (labels == 3).sum() == pytest.approx(np.pi * 12 * 9, rel=0.05)
    assert labels[54, 24] == 3


def test_of_several_annotations_the_last_counts(run, tmp_path):
    first = task(1, [brush('wall', WALL)])
    again = task(1, BRUSHES, annotation=9)['annotations'][0]
    cancelled = {**again, 'id': 10, 'was_cancelled': True, 'result': []}
    first['annotations'][:0] = [again, cancelled]
    local = '/data/local-files/?d=photos/train%2Fempty.jpg'
    empty, untouched = task(2, [], local), task(3, [], '/data/upload/3/b.jpg')
    untouched['annotations'] = []
    picture(tmp_path / 'in/photos/train/empty.jpg')
    write_json(tmp_path / 'in/tasks.json', [first, empty, untouched])
    found = run()
    same(tmp_path / 'out', DRAWN)
    assert found.skipped['annotations of a task that has a later one'] == 1
    assert found.skipped['tasks that nobody has annotated'] == 1
    assert found.empty == ['photos/empty']
    assert 'labels/train/photos/empty.png' in made(tmp_path / 'out')


def masks(folder, number=12, annotation=7):
    folder.mkdir(exist_ok=True)
    for label, mask in ((NAME.replace('/', '-'), STEP), ('wall', expected((LARGE, 1)))):
        name = f'task-{number}-annotation-{annotation}-by-1-tag-{label}-0.png'
        assert cv2.imwrite(str(folder / name), mask.astype(np.uint8) * 255)


def test_brush_masks_belong_to_the_images_of_tasks(run, tmp_path):
    masks(tmp_path / 'in')
    masks(tmp_path / 'in', annotation=6)
    for path in (tmp_path / 'in').glob('*-annotation-6-*'):
        cv2.imwrite(str(path), np.zeros((HEIGHT, WIDTH), np.uint8))
    masks(tmp_path / 'in', number=13)
    with pytest.raises(DataError, match=r'6 brush masks .* "JSON" export'):
        run()
    # An export of tasks without their strokes.
    write_json(tmp_path / 'in/tasks.json', [{'id': 12, 'data': {'image': UPLOADED}}])
    found = run(order='area')
    assert found.classes == ('background', 'door-step-2', 'wall')
    same(tmp_path / 'out', DRAWN)
    assert found.skipped == {
        'annotations of a task that has a later one': 1,
        'brush masks of a task whose image is not known': 2,
        'images found by the last part of their name alone': 1,
    }
    (tmp_path / 'in/tasks.json').unlink()
    picture(tmp_path / 'numbered/0012.jpg')
    run('numbered_out', images=tmp_path / 'numbered', order='area')
    same(tmp_path / 'numbered_out', DRAWN, '0012')
    small = tmp_path / 'in/task-12-annotation-7-by-1-tag-wall-0.png'
    cv2.imwrite(str(small), np.zeros((50, 50), np.uint8))
    with pytest.raises(DataError, match='is for 50x50 pixels'):
        run('small', images=tmp_path / 'numbered')
    # With the whole JSON, its own strokes count: they say what lies above what.
    write_json(tmp_path / 'in/tasks.json', [task(12, BRUSHES)])
    assert run('both').skipped['brush masks, as the JSON has their strokes'] == 6
    same(tmp_path / 'both', DRAWN)


def test_images_elsewhere_and_other_sizes_are_said(run, tmp_path):
    write_json(tmp_path / 'json/tasks.json', [task(12, BRUSHES)])
    with pytest.raises(DataError, match=r'none of the 1 images .* with --images'):
        run(source='json')
    run(source='json/tasks.json', images=tmp_path / 'in')
    same(tmp_path / 'out', DRAWN)
    other = task(13, [{**BRUSHES[0], 'original_width': 50}])
    turned = {'original_width': HEIGHT, 'original_height': WIDTH}
    mixed = task(15, [{**BRUSHES[0], **turned}, BRUSHES[1]])
    broken = task(14, [brush('wall', WALL)])
    broken['annotations'][0]['result'][0]['value']['rle'][5:] = [1, 2]
    for row, message in (
        (other, r'is for 50x72 pixels and the image has 96x72'),
        (mixed, r'is for 72x96 pixels and the image has 96x72'),
        (broken, r'region 1 \(wall\) of task 14 of .*tasks.json'),
    ):
        write_json(tmp_path / 'json/tasks.json', [row])
        with pytest.raises(DataError, match=message):
            run('new', source='json/tasks.json', images=tmp_path / 'in')


@pytest.mark.parametrize('content', [[], {}, [1], [{'id': 1, 'text': 'a'}]])
def test_another_json_is_refused(run, tmp_path, content):
    write_json(tmp_path / 'in/tasks.json', content)
    with pytest.raises(DataError, match='export them as "JSON"'):
        run(source='in/tasks.json')
    with pytest.raises(DataError, match='has no tasks of Label Studio'):
        run()


def test_a_damaged_task_is_one_sentence(run, tmp_path):
    row = task(12, BRUSHES)
    row['annotations'] = [3]
    write_json(tmp_path / 'in/tasks.json', [row])
    with pytest.raises(DataError, match='an annotation is no object'):
        run()
