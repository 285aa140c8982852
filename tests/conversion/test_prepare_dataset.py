"""Published archives, generated in small, to the folders that the configs name."""

import io
import zipfile

import cv2
import numpy as np
import pytest
from conversion_sources import (
    HEIGHT,
    LARGE,
    SMALL,
    WIDTH,
    city_json,
    contents,
    expected,
    made,
    write_zip,
)  # fmt: skip
from scipy.io import savemat
from tool_process import one_line_error, start

from sctnet.conversion.archives import list_files
from sctnet.conversion.preparing import prepare
from sctnet.conversion.published.coco_stuff10k import draw_labels
from sctnet.errors import ArgumentError, DataError, OutputError


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


def labels_at(path):
    labels = cv2.imread(str(path), -1)
    assert labels is not None
    return labels


def test_ade20k_is_unpacked_as_it_is(tmp_path):
    result = prepare('ade20k', [ade(tmp_path / 'a.zip')], tmp_path / 'data', workers=0)
    root = tmp_path / 'data/ade/ADEChallengeData2016'
    assert result.root == root
    assert made(tmp_path / 'data/ade') == [
        f'ADEChallengeData2016/{name}'
        for name in (
            'annotations/training/ADE_train_00000001.png',
            'annotations/validation/ADE_val_00000001.png',
            'images/training/ADE_train_00000001.jpg',
            'images/validation/ADE_val_00000001.jpg',
            'objectInfo150.txt',
        )
    ]
    labels = labels_at(root / 'annotations/training/ADE_train_00000001.png')
    np.testing.assert_array_equal(labels, expected((LARGE, 150)))


@pytest.mark.parametrize('head', ['', 'cocostuff-10k-v1.1/'])
def test_coco_stuff_becomes_the_train_ids_of_mmseg(tmp_path, head):
    archive = coco_stuff(tmp_path / 'c.zip', head)
    result = prepare('coco_stuff10k', [archive], tmp_path / 'data', workers=0)
    assert made(result.root) == [
        'annotations/test2014/COCO_train2014_000000000078_labelTrainIds.png',
        'annotations/train2014/COCO_train2014_000000000077_labelTrainIds.png',
        'images/test2014/COCO_train2014_000000000078.jpg',
        'images/train2014/COCO_train2014_000000000077.jpg',
    ]
    (labels, *_) = sorted(result.root.rglob('*.png'))
    np.testing.assert_array_equal(labels_at(labels), TRAIN_IDS)


def test_every_label_of_coco_stuff_is_as_in_mmsegs_converter():
    import importlib.util
    from pathlib import Path

    import mmseg

    path = (
        Path(mmseg.__file__).parent / '.mim/tools/dataset_converters/coco_stuff10k.py'
    )
    spec = importlib.util.spec_from_file_location('theirs', path)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    stored = np.array([list(theirs.clsID_to_trID)], np.uint16)
    ours = draw_labels(mat(stored), 'x.mat')
    assert ours.dtype == np.uint8
    assert ours[0].tolist() == list(theirs.clsID_to_trID.values())
    for unused in set(range(260)) - set(theirs.clsID_to_trID):
        with pytest.raises(DataError, match=rf'has labels \[{unused}\] in shape'):
            draw_labels(mat(np.array([[1, unused]], np.uint16)), 'x.mat')


@pytest.mark.parametrize(
    'data', [b'', b'MATLAB', mat(STORED)[:200], mat(np.zeros((2, 2, 2), np.uint8))]
)
def test_a_damaged_mat_file_is_named(data):
    with pytest.raises(DataError, match=r"'x\.mat' .*download the archive again"):
        draw_labels(data, 'x.mat')


def test_cityscapes_gets_train_ids_as_its_own_script_makes_them(tmp_path):
    archives = cityscapes(tmp_path)
    result = prepare('cityscapes', archives[::-1], tmp_path / 'data', workers=0)
    root = tmp_path / 'data/cityscapes'
    assert result.written == 3 + 6 + 2
    made_maps = sorted(root.rglob('*_labelTrainIds.png'))
    assert [path.relative_to(root).parts[1] for path in made_maps] == ['train', 'val']
    from cityscapesscripts.preparation.json2labelImg import json2labelImg

    polygons = root / 'gtFine/train/aachen/aachen_000000_000019_gtFine_polygons.json'
    json2labelImg(str(polygons), str(tmp_path / 'theirs.png'), 'trainIds')
    ours = labels_at(made_maps[0])
    np.testing.assert_array_equal(ours, labels_at(tmp_path / 'theirs.png'))
    drawn = expected((LARGE, 0), (SMALL, 13), fill=255)
    np.testing.assert_array_equal(ours, drawn)


def test_one_archive_is_enough_where_the_other_was_unpacked(tmp_path):
    images, fine = cityscapes(tmp_path)
    with pytest.raises(DataError, match='nothing holds the folder gtFine'):
        prepare('cityscapes', [images], tmp_path / 'data', workers=0)
    (tmp_path / 'data/cityscapes/gtFine').mkdir(parents=True)
    assert prepare('cityscapes', [images], tmp_path / 'data', workers=0).written == 3
    assert prepare('cityscapes', [fine], tmp_path / 'data', workers=0).written == 8


@pytest.mark.parametrize('dataset', ['ade20k', 'coco_stuff10k', 'cityscapes'])
def test_the_configs_find_what_was_prepared(tmp_path, dataset):
    from mmseg.registry import DATASETS

    from sctnet.catalog import load_config
    from sctnet.launch import set_data_root

    config = {
        'ade20k': 'sctnet-s-ade',
        'coco_stuff10k': 'sctnet-b-coco',
        'cityscapes': 'sctnet-s-seg50',
    }[dataset]
    archives = {
        'ade20k': lambda: [ade(tmp_path / 'a.zip')],
        'coco_stuff10k': lambda: [coco_stuff(tmp_path / 'a.zip')],
        'cityscapes': lambda: cityscapes(tmp_path),
    }[dataset]()
    result = prepare(dataset, archives, tmp_path / 'data', workers=2)
    cfg = load_config(config)
    assert (
        cfg.train_dataloader.dataset.data_root
        == f'data/{result.root.relative_to(tmp_path / "data")}'
    )
    set_data_root(cfg, str(result.root))
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.pipeline = [
            {'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'},
        ]  # fmt: skip
        data = DATASETS.build(loader.dataset)
        assert len(data) == 1
        labels = data[0]['gt_seg_map']
        assert labels.shape == (HEIGHT, WIDTH)
        if dataset == 'coco_stuff10k':
            assert np.unique(labels).tolist() == [11, 170, 255]


def test_an_interrupted_run_goes_on_and_changes_nothing_that_is_complete(tmp_path):
    archives, out = cityscapes(tmp_path), tmp_path / 'data'

    def stop(done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare('cityscapes', archives, out, workers=0, progress=stop)
    first = made(out)
    assert len(first) == 4
    kept = out / first[0]
    kept.write_bytes(bytes(kept.stat().st_size))  # ours to find again
    before = kept.read_bytes()
    result = prepare('cityscapes', archives, out, workers=0)
    assert (result.kept, result.written) == (4, 7)
    assert kept.read_bytes() == before
    result = prepare('cityscapes', archives, out, workers=0, overwrite=True)
    assert (result.kept, result.written) == (0, 11)
    assert kept.read_bytes() != before


def test_another_file_in_the_place_is_not_overwritten(tmp_path):
    archive, out = ade(tmp_path / 'a.zip'), tmp_path / 'data'
    prepare('ade20k', [archive], out, workers=0)
    mine = out / 'ade/ADEChallengeData2016/objectInfo150.txt'
    mine.write_text('my own notes')
    before = contents(out)
    with pytest.raises(OutputError, match=r'12 bytes instead of 6.*--overwrite'):
        prepare('ade20k', [archive], out, workers=0)
    assert contents(out) == before
    prepare('ade20k', [archive], out, workers=0, overwrite=True)
    assert mine.read_text() == '1 wall'


@pytest.mark.parametrize(
    'name', ['../evil.txt', '/etc/evil', 'a/../../evil', 'C:/evil', 'a\\..\\evil']
)
def test_a_member_that_leads_outside_is_refused_before_anything_is_written(
    tmp_path, name
):
    archive = ade(tmp_path / 'a.zip')
    with zipfile.ZipFile(archive, 'a') as opened:
        opened.writestr(name, 'evil')
    with pytest.raises(DataError, match='leads out of its folder'):
        prepare('ade20k', [archive], tmp_path / 'x/data', workers=0)
    assert not (tmp_path / 'x').exists()


def test_a_link_in_an_archive_is_refused(tmp_path):
    archive = ade(tmp_path / 'a.zip')
    with zipfile.ZipFile(archive, 'a') as opened:
        link = zipfile.ZipInfo('ADEChallengeData2016/images/link.jpg')
        link.external_attr = 0o120777 << 16
        opened.writestr(link, '/etc/passwd')
    with pytest.raises(DataError, match='a link: expected plain files'):
        list_files(archive)


def test_archives_that_are_cut_off_missing_or_others_are_one_sentence(tmp_path):
    archive = ade(tmp_path / 'a.zip')
    cut = tmp_path / 'cut.zip'
    cut.write_bytes(archive.read_bytes()[:-200])
    for dataset, path, message in (
        ('ade20k', cut, r'cut\.zip. is truncated or no zip archive'),
        ('ade20k', tmp_path / 'none.zip', r'none\.zip. cannot be read'),
        ('ade20k', tmp_path, 'cannot be read'),
        ('ade20k', coco_stuff(tmp_path / 'c.zip'), 'expected ADEChallengeData2016'),
        ('coco_stuff10k', archive, 'expected cocostuff-10k'),
        ('cityscapes', archive, 'expected leftImg8bit_trainvaltest'),
    ):
        with pytest.raises(DataError, match=message):
            prepare(dataset, [path], tmp_path / 'data', workers=0)
    with pytest.raises(DataError, match='name each archive once'):
        prepare('ade20k', [archive, archive], tmp_path / 'data', workers=0)
    with pytest.raises(ArgumentError, match=r"no data set 'ade'.*ade20k"):
        prepare('ade', [archive], tmp_path / 'data')
    assert not (tmp_path / 'data').exists()


def test_a_list_that_names_what_is_not_there_is_an_error(tmp_path):
    archive = coco_stuff(tmp_path / 'c.zip')
    with zipfile.ZipFile(archive) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    members['imageLists/test.txt'] = b'COCO_x\n'
    archive = write_zip(tmp_path / 'd.zip', members)
    with pytest.raises(DataError, match=r"no 'images/COCO_x\.jpg', which test\.txt"):
        prepare('coco_stuff10k', [archive], tmp_path / 'data', workers=0)


@pytest.mark.parametrize('workers', [0, 2])
def test_a_damaged_member_is_named_and_costs_no_other(tmp_path, workers):
    archive = ade(tmp_path / 'a.zip')
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        name = 'ADEChallengeData2016/images/training/ADE_train_00000001.jpg'
        info = opened.getinfo(name)
    data[info.header_offset + len(name) + 2000] ^= 255
    archive.write_bytes(data)
    result = prepare('ade20k', [archive], tmp_path / 'data', workers=workers)
    (failure,) = result.failed
    assert f"'{name}' in '{archive}' is damaged" in failure
    assert result.written == 4
    assert len(made(tmp_path / 'data')) == 4


def test_a_disk_without_room_is_said_before_unpacking(tmp_path, monkeypatch):
    monkeypatch.setattr(
        'shutil.disk_usage', lambda place: type('Usage', (), {'free': 1000})
    )
    with pytest.raises(OutputError, match=r'unpacking needs .* GB free: make room'):
        prepare('ade20k', [ade(tmp_path / 'a.zip')], tmp_path / 'data', workers=0)


def test_a_disk_that_fills_up_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.replace', full)
    with pytest.raises(OutputError, match='No space left on device'):
        prepare('ade20k', [ade(tmp_path / 'a.zip')], tmp_path / 'data', workers=0)
    assert made(tmp_path / 'data') == []


def test_the_tool_says_what_it_did_and_which_members_are_damaged(tmp_path):
    archive = ade(tmp_path / 'a.zip')
    done = start('prepare_dataset.py', 'ade20k', archive, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '5 files written, 0 were there, 0 are broken' in done.stdout
    assert 'data/ade/ADEChallengeData2016' in done.stdout
    archive.write_bytes(archive.read_bytes()[:-200])
    done = start('prepare_dataset.py', 'ade20k', archive, cwd=tmp_path)
    assert 'is truncated or no zip archive' in one_line_error(done)
