"""From exports of real tools to a data set and two configs that mmseg reads."""

import glob
import json

import cv2
import exports
import numpy as np
import pytest
from exports import labels
from mmseg.registry import DATASETS, MODELS

from sctnet.catalog import load_config
from sctnet.datasets.check import quick_check
from sctnet.datasets.new import new_project
from sctnet.errors import ArgumentError, DataError, OutputError

NAMES = ('background', 'door', 'wall')
MADE_UP = ('class 0', 'class 1', 'class 2')
# Of each: what it is taken for, the classes, and the images of each part, or of all.
EXPORTS = {
    'roboflow': (
        "3 JSON files of COCO's form, with the parts test, train, val",
        NAMES,
        (4, 2, 2),
    ),
    'cvat_coco': ("1 JSON file of COCO's form", NAMES, 6),
    'cvat_masks': ("Pascal VOC's layout, 6 images with colour masks", NAMES, 6),
    'roboflow_masks': ("named by '_classes.csv'", NAMES, (4, 2, 0)),
    'camvid': ("named by 'classes.txt'", NAMES, (4, 2, 2)),
    'flat_folders': (
        '6 images with index masks, such as image_0000.jpg with gt_0000.png, of the '
        'values 0, 1, 2',
        MADE_UP,
        6,
    ),
    'four_bands': ('6 images with index masks', MADE_UP, 6),
}


@pytest.fixture
def data(tmp_path):
    def make(kind):
        root = tmp_path / kind
        root.mkdir()
        getattr(exports, kind)(root)
        return root

    return make


def labels_in(root, part='*'):
    paths = sorted(root.glob(f'labels/{part}/**/*.png'))
    return [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in paths]


@pytest.mark.parametrize('kind', EXPORTS)
def test_an_export_becomes_a_data_set_and_two_configs(data, tmp_path, kind):
    said, classes, counts = EXPORTS[kind]
    made = new_project(data(kind), tmp_path / 'out', student='t')
    assert said in made.said[0]
    assert not made.failed
    ours = tuple(len(labels_in(made.root, part)) for part in ('train', 'val', 'test'))
    assert counts in (ours, sum(ours))
    assert ours[1]
    for path in made.configs:
        cfg = load_config(path)
        assert cfg.train_dataloader.dataset.metainfo['classes'] == classes
        assert cfg.model.decode_head.num_classes == len(classes)
        quick_check(cfg)
        MODELS.build(cfg.model)
        sample = DATASETS.build(cfg.val_dataloader.dataset)[0]
        bands = 4 if kind == 'four_bands' else 3
        assert sample['inputs'].shape[0] == bands
    # Each image has the label map that was made for it: both come from its number.
    for path in made.root.glob('labels/**/*.png'):
        drawn = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        (image,) = made.root.glob(f'images/**/{glob.escape(path.stem)}.*')
        expected = labels(exports.number_of(image))
        expected[expected > 0] += len(classes) - 3
        np.testing.assert_array_equal(drawn, expected, str(path))


def test_masks_of_0_and_255_are_asked_about(data, tmp_path):
    root, asked = data('binary'), []
    with pytest.raises(ArgumentError, match=r'0 and 255.*--map 0:0,255:1 or --map'):
        new_project(root, tmp_path / 'out')

    def answer(question, choices, option):
        asked.append((question, *choices))
        return 'object'

    made = new_project(root, tmp_path / 'out', ask=answer)
    assert len(asked) == 1
    text = (tmp_path / 'out/student.py').read_text()
    assert "classes = ('background', 'object')" in text
    values = {
        v
        for p in made.root.glob('labels/*/*.png')
        for v in np.unique(cv2.imread(str(p), -1))
    }
    assert values == {0, 1}
    made = new_project(root, tmp_path / 'told', mapping='0:0,255:1')
    assert made.said[0].startswith(f"'{root}' is taken for 6 images with index masks")


def test_bands_and_bits_stand_in_the_configs(data, tmp_path):
    made = new_project(data('four_bands'), tmp_path / 'out', student='t')
    for path in made.configs:
        cfg = load_config(path)
        assert cfg.model.backbone.in_channels == 4
        preprocessor = cfg.model.data_preprocessor
        assert len(preprocessor.mean) == 4
        assert preprocessor.mean == pytest.approx([2047.5] * 4, rel=0.05)
        assert preprocessor.bgr_to_rgb is False
        assert cfg.train_pipeline[5].max_value == 4095
        low, high = cfg.value_range
        assert max(low) < 20
        assert 4000 < min(high) <= max(high) <= 4095
        assert len(low) == len(high) == 4
    assert any('16 bits, values end at' in line for line in made.said)


def test_alpha_of_16_bits_is_left_out_by_the_configs(tmp_path):
    for n in range(4):
        image = np.full((64, 64, 4 if n else 3), 1000, np.uint16)
        image[..., 3:] = 65535
        exports.write(tmp_path / 'data/images' / f'{n}.png', image)
        exports.write(tmp_path / 'data/masks' / f'{n}.png', labels(n)[:64, :64])
    made = new_project(tmp_path / 'data', tmp_path / 'out', student='t')
    assert any('left out: the alpha band of' in line for line in made.said)
    cfg = load_config(made.configs[1])
    assert cfg.test_pipeline[0].bands == (0, 1, 2)
    assert len(cfg.model.data_preprocessor.mean) == 3


def test_choices_stand_in_the_configs_and_copies_are_copies(data, tmp_path):
    root = data('flat_folders')
    options = {'crop': 64, 'iterations': 50, 'batch': 2, 'val': 0.5, 'test': 0.2}
    made = new_project(root, tmp_path / 'out', link=False, classes='a,b,c', **options)
    cfg = load_config(made.configs[1])
    assert cfg.crop_size == (64, 64)
    assert cfg.train_cfg.max_iters == 50
    assert cfg.default_hooks.checkpoint.interval == cfg.train_cfg.val_interval == 5
    assert cfg.train_dataloader.batch_size == 2
    assert cfg.test_dataloader.dataset.data_prefix.img_path == 'images/test'
    assert cfg.custom_hooks[0].teacher == str(tmp_path / 'out/teacher.py')
    (first, *_) = made.root.glob('images/*/*.jpg')
    assert first.stat().st_nlink == 1
    alone = new_project(root, tmp_path / 'alone', teacher=False, student='b')
    assert [path.name for path in alone.configs] == ['student.py']
    assert load_config(alone.configs[0]).model.siam is None
    again = next(alone.root.glob('images/*/*.jpg'))
    assert again.stat().st_nlink == 2


def test_a_data_set_that_was_made_is_used_in_place(data, tmp_path):
    made = new_project(data('flat_folders'), tmp_path / 'first', classes='a,b,c')
    again = new_project(made.root, tmp_path / 'second')
    assert again.root == made.root
    assert 'used in place' in again.said[0]
    assert not (tmp_path / 'second/data').exists()


@pytest.mark.parametrize(
    'classes',
    [
        ['a\n', 'b"', "c'''", '{{ d }}', '\u2028', '\x00'],
        ["', __import__('os')", 'b'],
    ],
)
def test_names_are_data_whatever_they_are(data, tmp_path, classes):
    made = new_project(data('flat_folders'), tmp_path / 'first', classes='a,b,c')
    file = made.root / 'dataset.json'
    summary = {**json.loads(file.read_text()), 'palette': None, 'classes': classes}
    summary['pixels'] = dict.fromkeys(classes, 7)
    file.write_text(json.dumps(summary))
    again = new_project(made.root, tmp_path / 'second', student='t')
    for path in again.configs:
        assert list(load_config(path).classes) == classes


@pytest.mark.parametrize(
    'change',
    [
        {'images': {'train': 3, 'val': 1, 'test': '1\nopen("x", "w")#'}},
        {'classes': ['a', 'a']},
        {'palette': [[1, 2]]},
        {'pixels': {'a': '7'}},
        {'images': None},
    ],
)
def test_another_tools_summary_is_refused(data, tmp_path, change):
    made = new_project(data('flat_folders'), tmp_path / 'first', classes='a,b,c')
    file = made.root / 'dataset.json'
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(DataError):
        new_project(made.root, tmp_path / 'second')


def test_a_failure_leaves_nothing_in_the_way(data, tmp_path):
    root = data('flat_folders')
    with pytest.raises(DataError, match='no image to validate on'):
        new_project(root, tmp_path / 'out', val=0.0)
    assert not (tmp_path / 'out/data').exists()
    new_project(root, tmp_path / 'out', val=0.2)
    made = tmp_path / 'out/data'
    with pytest.raises(ArgumentError, match='--classes, --val cannot be chosen'):
        new_project(made, tmp_path / 'other', val=0.3, classes='a,b,c')


def test_values_that_are_no_numbering_are_asked_about(data, tmp_path):
    root = data('flat_folders')
    for path in (root / 'masks').glob('*.png'):
        exports.write(path, cv2.imread(str(path), cv2.IMREAD_UNCHANGED) * 60)
    with pytest.raises(ArgumentError, match=r'values 0, 60, 120, .*--map'):
        new_project(root, tmp_path / 'out')
    with pytest.raises(DataError, match='all pixels are of one class'):
        new_project(root, tmp_path / 'out', mapping='0:0,60:ignore,120:ignore')
    new_project(root, tmp_path / 'out', mapping='0:0,60:1,120:2', classes='a,b,c')


def test_a_black_mask_hides_no_colours(data, tmp_path):
    root = data('cvat_masks')
    (root / 'JPEGImages').rename(root / 'images')
    (root / 'SegmentationClass').rename(root / 'masks')
    exports.write(root / 'masks/room 0.png', np.zeros((72, 96, 3), np.uint8))
    made = new_project(root, tmp_path / 'out')
    assert 'colour masks' in made.said[0]


def test_colours_without_a_list_are_listed_and_named_by_one(data, tmp_path):
    root = data('cvat_masks')
    (root / 'labelmap.txt').unlink()
    with pytest.raises(ArgumentError, match='no list says which class'):
        new_project(root, tmp_path / 'voc')
    made = new_project(root, tmp_path / 'voc', colours=tmp_path / 'voc/colours.txt')
    assert load_config(made.configs[0]).classes == ('class 0', 'class 1', 'class 2')
    (root / 'JPEGImages').rename(root / 'images')
    (root / 'SegmentationClass').rename(root / 'colour masks')
    found = r'\(0, 0, 0\) 49 %, \(51, 221, 255\) 42 %, \(255, 96, 55\) 8.7 %'
    with pytest.raises(ArgumentError, match=found) as error:
        new_project(root, tmp_path / 'out')
    proposed = tmp_path / 'out/colours.txt'
    assert f'--colours {proposed}' in str(error.value)
    text = proposed.read_text()
    assert 'class 1,51,221,255  # 42 %' in text
    proposed.write_text(text.replace('class 0', 'floor').replace('class 2', 'ignore'))
    with pytest.raises(ArgumentError):  # it is not written over
        new_project(root, tmp_path / 'out')
    made = new_project(root, tmp_path / 'out', colours=str(proposed))
    assert load_config(made.configs[0]).classes == ('floor', 'class 1')
    drawn = labels_in(made.root)
    assert len(drawn) == 6
    assert np.array_equal(np.unique(drawn), [0, 1, 255])


def test_smeared_colours_need_a_tolerance(data, tmp_path):
    root = data('cvat_masks')
    for path in (root / 'SegmentationClass').glob('*.png'):
        exports.write(path.with_suffix('.jpg'), cv2.imread(str(path)))
        path.unlink()
    with pytest.raises(DataError, match='--tolerance 100'):
        new_project(root, tmp_path / 'out')
    made = new_project(root, tmp_path / 'near', tolerance=100, unknown='ignore')
    assert any('of the nearest colour' in line for line in made.said)
    (root / 'labelmap.txt').rename(tmp_path / 'labelmap.txt')
    with pytest.raises(ArgumentError, match='with --tolerance 250') as error:
        new_project(root, tmp_path / 'out')
    assert 3 <= str(error.value).count(' %') <= 8  # and not the hundreds between
    for path in (root / 'SegmentationClass').glob('*.jpg'):  # numbers: no way to save
        exports.write(path, labels(1))
    with pytest.raises(DataError, match='export the masks as PNG'):
        new_project(
            root / 'JPEGImages', tmp_path / 'x', masks=root / 'SegmentationClass'
        )


def test_coco_in_its_own_folders_and_boxes_alone(data, tmp_path):
    root = data('cvat_coco')
    (root / 'images/default').rename(root / 'train2017')
    file = root / 'annotations/instances_train2017.json'
    (root / 'annotations/instances_default.json').rename(file)
    keypoints = file.with_name('person_keypoints_train2017.json')
    keypoints.write_bytes(file.read_bytes())
    made = new_project(root, tmp_path / 'out')
    assert len(labels_in(made.root)) == 6
    content = json.loads(file.read_text())
    for row in content['annotations']:
        row['segmentation'] = []
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match='its annotations are boxes'):
        new_project(root, tmp_path / 'boxes')


def test_pascals_own_names_are_not_taken_for_granted(data, tmp_path):
    root = data('cvat_masks')
    (root / 'labelmap.txt').unlink()
    for path in (root / 'SegmentationClass').glob('*.png'):
        exports.write(path, labels(1))
    with pytest.raises(ArgumentError, match="Pascal VOC's own 21"):
        new_project(root, tmp_path / 'out')
    made = new_project(root, tmp_path / 'out', classes='a,b,c')
    assert load_config(made.configs[0]).classes == ('a', 'b', 'c')


def test_what_cannot_be_is_said(data, tmp_path):
    root = data('flat_folders')
    empty = tmp_path / 'empty'
    exports.picture(empty / 'images/a.jpg', 0)
    for place, error, words in (
        (tmp_path / 'nowhere', DataError, 'there is nothing at'),
        (empty, DataError, 'has 1 image and no mask'),
        (root / 'images/image_0000.jpg', DataError, 'is a single file'),
    ):
        with pytest.raises(error, match=words):
            new_project(place, tmp_path / 'out')
    for options, words in (
        ({'student': 'x'}, '--student is'),
        ({'crop': 100}, '--crop is 100'),
        ({'batch': 0}, '--batch is 0'),
        ({'val': 0.0}, None),
    ):
        with pytest.raises((ArgumentError, DataError), match=words):
            new_project(root, tmp_path / 'out', **options)
    (tmp_path / 'done').mkdir()
    (tmp_path / 'done/student.py').write_text('')
    with pytest.raises(OutputError, match=r'has a student\.py already'):
        new_project(root, tmp_path / 'done')


def test_a_class_without_a_pixel_is_said(data, tmp_path):
    made = new_project(data('flat_folders'), tmp_path / 'out', classes='a,b,c,d')
    assert made.said.count('without a single pixel: d') == 1
    again = new_project(made.root, tmp_path / 'again')
    assert again.said.count('without a single pixel: d') == 1
