"""What published data sets are taken for, and what is asked where two readings fit."""

import shutil
from types import SimpleNamespace

import exports
import numpy as np
import published_forms
import pytest
from conversion_sources import LARGE, SIZE, SMALL, expected, labels_of, picture
from published_forms import write

from sctnet.datasets.new import new_project
from sctnet.datasets.new.recognise import recognise
from sctnet.errors import ArgumentError, DataError

FORMS = {
    'airbus': "run lengths in 'train_ship_segmentations_v2.csv'",
    'coco_panoptic': "2 JSON files of COCO's panoptic form, with the parts train, val",
    'yolo_ultralytics': "YOLO's text files",
    'yolo_roboflow': "YOLO's text files",
    'yolo_cvat': "YOLO's text files",
    'mvtec_ad': "MVTec AD's layout, 1 category, all parts shared anew",
}


class Asked(list):
    """Answers with a choice, or the first one, and keeps what was asked."""

    def __init__(self, answer=None):
        self.answer = answer

    def __call__(self, question, choices, option):
        self.append(SimpleNamespace(text=question, choices=choices, option=option))
        return self.answer or next(iter(choices))


def never(question, choices, option):
    raise AssertionError(question)


@pytest.mark.parametrize('form', FORMS)
def test_published_forms_need_no_answer(tmp_path, form):
    getattr(published_forms, form)(tmp_path)
    assert recognise(tmp_path, never).said == FORMS[form]


def test_the_version_of_mapillarys_labels_is_asked_for(tmp_path):
    published_forms.vistas(tmp_path / 'in')
    with pytest.raises(ArgumentError, match=r'config_v1.2.json.* in the folder.s pla'):
        new_project(tmp_path / 'in', tmp_path / 'out')
    asked = Asked('config_v2.0.json')
    made = new_project(tmp_path / 'in', tmp_path / 'out', ask=asked)
    assert "with the labels of 'config_v2.0.json'" in made.said[0]
    assert [*asked[0].choices] == ['config_v1.2.json', 'config_v2.0.json']
    # What the question names as its answer is one.
    made = new_project(tmp_path / 'in/config_v1.2.json', tmp_path / 'named', ask=never)
    assert made.said[0].endswith("with the labels of 'config_v1.2.json'")


@pytest.mark.parametrize(
    ('form', 'file', 'format_name'),
    [
        ('coco_panoptic', 'annotations/panoptic_val2017.json', 'panoptic'),
        ('yolo_ultralytics', 'coco8-seg.yaml', 'yolo'),
        ('airbus', 'train_ship_segmentations_v2.csv', 'run_lengths'),
    ],
)
def test_a_file_is_known_by_what_it_holds(tmp_path, form, file, format_name):
    getattr(published_forms, form)(tmp_path)
    assert recognise(tmp_path / file, never).format_name == format_name


def test_two_files_of_run_lengths_are_asked_about(tmp_path):
    published_forms.airbus(tmp_path)
    first = tmp_path / 'train_ship_segmentations_v2.csv'
    shutil.copy(first, tmp_path / 'train_ship_segmentations.csv')
    found = recognise(tmp_path, Asked('train_ship_segmentations_v2.csv'))
    assert found.source == first
    asked = Asked()
    recognise(tmp_path, asked)
    assert asked[0].option.startswith(str(tmp_path / 'train_ship_segmentations.csv'))


def test_annotations_beside_masks_are_asked_about(tmp_path):
    exports.cvat_coco(tmp_path)
    for n in range(6):
        write(tmp_path / f'masks/default/room_{n}.png', exports.labels(n))
    asked = Asked('coco')
    assert recognise(tmp_path, asked).format_name == 'coco'
    assert [*asked[0].choices] == ['coco', 'masks']
    assert asked[0].option == '--format coco, or --masks FOLDER'
    assert recognise(tmp_path, Asked('masks')).format_name == 'masks'
    found = recognise(tmp_path, never, tmp_path / 'masks')
    assert found.format_name == 'masks'


def test_instances_beside_panoptic_segments_are_asked_about(tmp_path):
    published_forms.coco_panoptic(tmp_path)
    names = [path.name for path in sorted((tmp_path / 'train2017').glob('*'))]
    file = tmp_path / 'annotations/instances_train2017.json'
    published_forms.write_json(file, exports.instances(names))
    asked = Asked()
    assert recognise(tmp_path, asked).format_name == 'coco'
    assert [*asked[0].choices] == ['coco', 'panoptic']
    assert asked[0].option == '--format coco or panoptic'
    assert recognise(tmp_path, Asked('panoptic')).format_name == 'panoptic'


def test_two_folders_of_masks_are_asked_about(tmp_path):
    exports.flat_folders(tmp_path)
    shutil.copytree(tmp_path / 'masks', tmp_path / 'trimaps')
    asked = Asked('trimaps')
    found = recognise(tmp_path, asked)
    assert found.options['masks'] == tmp_path / 'trimaps'
    masks = tmp_path / 'masks'
    assert asked[0].option == f'--masks {masks} or {tmp_path / "trimaps"}'
    assert recognise(tmp_path, never, masks).options['masks'] == masks
    for part in ('train', 'val'):
        shutil.copytree(tmp_path / 'trimaps', tmp_path / part / 'annot_one')
        shutil.copytree(tmp_path / 'trimaps', tmp_path / part / 'annot_two')
    with pytest.raises(DataError, match=r'several masks of each image \(.*train/anno'):
        recognise(tmp_path, never)


def test_folders_of_masks_in_each_part_are_told_by_their_name(tmp_path):
    root = tmp_path / 'in'
    trimap = expected((LARGE, 1), (SMALL, 2), fill=7)
    for part in ('train', 'val'):
        for n in range(2):
            picture(root / part / f'images/{n}.jpg', n)
            write(root / part / f'masks/{n}.png', expected())
            write(root / part / f'trimaps/{n}.png', trimap)
    asked = Asked('masks')
    assert recognise(root, asked).options['masks'] == root / 'masks'
    assert asked[0].option == f'--masks {root}/masks or {root}/trimaps'
    options = {'mapping': '7:ignore', 'classes': 'a,b,c', 'ask': never}
    made = new_project(root, tmp_path / 'out', masks='trimaps', **options)
    labels = labels_of(made.root, '1', 'val')
    drawn = expected((LARGE, 1), (SMALL, 2), fill=255)
    np.testing.assert_array_equal(labels, drawn)
    with pytest.raises(DataError, match='no folder'):
        recognise(root, never, tmp_path / 'elsewhere/masks')
    shutil.copytree(root / 'train/masks', root / 'masks')  # which would be meant alone
    with pytest.raises(DataError, match='several masks of each image'):
        recognise(root, never)


def test_masks_of_0_and_1_have_an_object(tmp_path):
    exports.flat_folders(tmp_path)
    for path in tmp_path.glob('masks/*.png'):
        write(path, expected((LARGE, 1)))
    assert recognise(tmp_path, never).options['classes'] == ('background', 'object')


def test_values_past_the_classes_are_asked_about(tmp_path):
    exports.camvid(tmp_path)  # three classes, and here 3 for void
    for path in tmp_path.glob('*annot/*.png'):
        write(path, np.where(np.eye(*SIZE) > 0, 3, expected()))
    with pytest.raises(ArgumentError, match=r'hold 3, .*--map 3:ignore, or --classes'):
        new_project(tmp_path, tmp_path / 'out')
    found = recognise(tmp_path, Asked())
    assert found.options == {'mapping': '3:ignore'}
    assert recognise(tmp_path, never, given={'mapping': '3:ignore'}).options == {}
    assert recognise(tmp_path, never, given={'classes': 'a,b,c,d'}).options == {}
    write(next(tmp_path.glob('trainannot/*.png')), expected(fill=7))
    assert recognise(tmp_path, never).options == {}  # no numbering: named later


def test_segnets_camvid_has_void_and_its_names(tmp_path):
    root = tmp_path / 'in'
    exports.camvid(root)
    (root / 'classes.txt').unlink()
    for n, path in enumerate(sorted(root.glob('*annot/*.png'))):
        values = np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) // 600
        write(path, values.astype(np.uint8) if n else expected())
    with pytest.raises(ArgumentError, match=r"--classes 'sky,.*bicyclist' --map 11:i"):
        new_project(root, tmp_path / 'out')
    made = new_project(root, tmp_path / 'out', ask=Asked('yes'))
    assert "'sign symbol'" in (tmp_path / 'out/teacher.py').read_text()
    labels = labels_of(made.root, '0001TP_val0', 'val')
    assert sorted(set(labels.ravel())) == [*range(11), 255]
    found = recognise(root, Asked('no'))
    assert len(found.options['classes']) == 12


def test_paddlesegs_lists_are_the_parts(tmp_path):
    # Of its optic_disc_seg: JPEGImages/H0002.jpg Annotations/H0002.png
    root = tmp_path / 'in'
    parts = {'train': range(3), 'val': range(3, 5), 'test': range(5, 6)}
    for part, numbers in parts.items():
        lines = []
        for n in numbers:
            picture(root / f'JPEGImages/H{n:04}.jpg', n)
            write(root / f'Annotations/H{n:04}.png', exports.labels(n))
            lines.append(f'JPEGImages/H{n:04}.jpg Annotations/H{n:04}.png\n')
        (root / f'{part}_list.txt').write_text(''.join(lines))
    (root / 'labels.txt').write_text('background\ndoor\nwall\n')
    made = new_project(root, tmp_path / 'out', ask=never)
    assert 'with the parts of its lists' in made.said[0]
    for part, numbers in parts.items():
        found = sorted(path.stem for path in made.root.glob(f'labels/{part}/*'))
        assert found == [f'H{n:04}' for n in numbers]


def test_lists_beside_folders_of_the_parts_are_passed_by(tmp_path):
    for part in ('train', 'val'):
        for n in range(2):
            picture(tmp_path / f'images/{part}/{part}{n}.jpg', n)
            write(tmp_path / f'masks/{part}/{part}{n}.png', exports.labels(n))
    (tmp_path / 'train.txt').write_text('train0.jpg\n')
    assert 'lists' not in recognise(tmp_path, never).options


def test_pngs_of_segments_and_names_of_yolo_are_no_second_reading(tmp_path):
    exports.flat_folders(tmp_path / 'in')
    (tmp_path / 'in/masks').rename(tmp_path / 'in/labels')
    names = 'names: [background, door, wall]\ntrain: images\n'
    (tmp_path / 'in/data.yaml').write_text(names)
    found = recognise(tmp_path / 'in', never)
    assert "named by 'data.yaml'" in found.said
    root = tmp_path / 'coco'
    published_forms.coco_panoptic(root, ['train'])
    (root / 'train2017').rename(root / 'images')
    for png in (root / 'annotations').glob('*/*.png'):
        png.rename(root / 'annotations' / png.name)
    assert recognise(root, never).format_name == 'panoptic'


def test_cityscapes_without_its_polygons(tmp_path):
    root = tmp_path / 'in'
    for part, city in (('train', 'aachen'), ('val', 'munster'), ('test', 'berlin')):
        for n in range(2):
            name = f'{city}_{n:06}_000019'
            picture(root / f'leftImg8bit/{part}/{city}/{name}_leftImg8bit.png', n)
            place = root / f'gtFine/{part}/{city}'
            ids = np.full(SIZE, 7, np.uint8)  # road
            ids[:9], ids[9:18] = 26, 3  # a car, out of roi
            write(place / f'{name}_gtFine_labelIds.png', ids)
            write(place / f'{name}_gtFine_color.png', np.dstack([ids] * 3))
            write(place / f'{name}_gtFine_instanceIds.png', ids.astype(np.uint16))
    made = new_project(root, tmp_path / 'out', ask=never)
    assert "Cityscapes' layout, with its *_gtFine_labelIds.png" in made.said[0]
    labels = labels_of(made.root, 'munster/munster_000001_000019', 'val')
    assert [labels[row, 0] for row in (0, 10, 20)] == [13, 255, 0]
    for path in root.glob('gtFine/*/*/*_labelIds.png'):
        ids = np.zeros(SIZE, np.uint8)
        ids[:9], ids[9:18] = 255, 13
        write(path.with_name(path.name.replace('labelIds', 'labelTrainIds')), ids)
        path.unlink()
    made = new_project(root, tmp_path / 'again', ask=never)
    labels = labels_of(made.root, 'munster/munster_000001_000019', 'val')
    assert [labels[row, 0] for row in (0, 10, 20)] == [255, 13, 0]
    for path in root.glob('gtFine/*/*/*_labelTrainIds.png'):
        write(path, expected(fill=255))  # Datumaro's, of other classes
    with pytest.raises(DataError, match='or to ignore, so that there is nothing to l'):
        new_project(root, tmp_path / 'nothing', ask=never)
    options = {'format_name': 'cityscapes', 'classes': 'all'}
    with pytest.raises(DataError, match='do not tell all 34 labels'):
        new_project(root, tmp_path / 'all', **options)


def test_what_is_known_is_listed_where_nothing_is(tmp_path):
    picture(tmp_path / 'images/a.jpg')
    with pytest.raises(DataError) as caught:
        recognise(tmp_path, never)
    for name in ('COCO', 'YOLO', 'CSV', 'Mapillary Vistas', 'MVTec AD', 'labelme'):
        assert name in str(caught.value)
