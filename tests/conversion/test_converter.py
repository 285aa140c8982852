"""What all formats share: where files go, what is refused, what is written last."""

import json
import os

import numpy as np
import pytest
from conversion_sources import LARGE, contents, corners, labelme_json, made, picture

from sctnet.datasets.convert import convert
from sctnet.errors import ArgumentError, DataError, OutputError


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / 'source'
    for number in range(6):
        picture(folder / f'{number}.jpg', number)
        shapes = [('wall', 'polygon', corners(LARGE))]
        labelme_json(folder / f'{number}.json', shapes, f'{number}.jpg')
    return folder


def run(source, out, **options):
    return convert('labelme', source, out, **{'workers': 0, **options})


def test_the_summary_counts_images_and_pixels(source, tmp_path):
    bad = os.fsdecode(b'bad\xfc.json')  # no UTF-8
    (source / bad).write_text('{')
    run(source, tmp_path / 'out', val=0.5)
    summary = json.loads((tmp_path / 'out/dataset.json').read_text())
    assert summary['classes'] == ['background', 'wall']
    assert summary['format'] == 'labelme'
    assert sum(summary['images'].values()) == 6
    assert min(summary['images'].values()) > 0
    assert summary['pixels'] == {'background': 6 * (72 * 96 - 3000), 'wall': 6 * 3000}
    assert (summary['ignore_index'], summary['ignored_pixels']) == (255, 0)
    assert 'bad\udcfc.json' in summary['failed'][0]


def test_the_summary_is_written_last(source, tmp_path):
    out, seen = tmp_path / 'out', []

    def stop(done, total):
        seen.append((done, total, (out / 'dataset.json').exists()))
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, out, progress=stop)
    assert seen == [(done, 6, False) for done in (1, 2, 3, 4)]
    again = run(source, out, overwrite=True)
    assert sum(again.images.values()) == 6
    assert (out / 'dataset.json').exists()
    with pytest.raises(KeyboardInterrupt):
        run(source, out, overwrite=True, progress=stop)
    assert not (out / 'dataset.json').exists()


def test_two_processes_make_what_one_makes(source, tmp_path):
    run(source, tmp_path / 'a')
    run(source, tmp_path / 'b', workers=2)
    first, second = (
        {path.relative_to(tmp_path / name): data for path, data in found.items()}
        for name, found in (
            ('a', contents(tmp_path / 'a')),
            ('b', contents(tmp_path / 'b')),
        )
    )
    assert first == second
    assert len(first) == 13


def test_a_folder_that_holds_something_is_refused_and_left_alone(source, tmp_path):
    out = tmp_path / 'out'
    (out / 'images/train').mkdir(parents=True)
    (out / 'images/train/mine.txt').write_text('mine')
    with pytest.raises(OutputError, match='is not empty: name a new folder'):
        run(source, out)
    assert made(out) == ['images/train/mine.txt']
    (tmp_path / 'file').write_text('x')
    with pytest.raises(OutputError, match='is a file'):
        run(source, tmp_path / 'file')


def test_overwriting_replaces_its_own_files_and_no_others(source, tmp_path):
    out = tmp_path / 'out'
    run(source, out)
    before = contents(out)
    mine = out / 'images/train/mine.txt'
    mine.write_text('mine')
    old = out / 'images/train/old.jpg'
    old.write_text('old')
    labels = next(path for path in before if path.suffix == '.png')
    labels.write_bytes(b'damaged')
    result = run(source, out, overwrite=True)
    assert {**before, mine: b'mine', old: b'old'} == {
        **contents(out),
        out / 'dataset.json': before[out / 'dataset.json'],
    }
    assert result.skipped == {'images of an earlier conversion, still there': 2}


def test_an_image_that_changes_its_part_is_not_left_in_both(source, tmp_path):
    out = tmp_path / 'out'
    run(source, out, val=0.2)
    before = contents(out)
    with pytest.raises(OutputError, match='is left from an earlier conversion'):
        run(source, out, val=0.8, overwrite=True)
    assert contents(out) == before


@pytest.mark.parametrize('out', ['source', 'source/out', '.'])
def test_a_folder_within_the_source_or_round_it_is_refused(source, tmp_path, out):
    before = contents(tmp_path)
    with pytest.raises(OutputError, match='lie in each other'):
        run(source, tmp_path / out, overwrite=True)
    assert contents(tmp_path) == before


def test_links_share_the_pixels_and_leave_the_original_alone(source, tmp_path):
    out = tmp_path / 'out'
    os.chmod(source / '0.jpg', 0o640)
    before = {
        path: (path.stat().st_mode, path.read_bytes()) for path in source.iterdir()
    }
    for overwrite in (False, True):  # a link replaced by itself
        run(source, out, link=True, overwrite=overwrite)
    (linked,) = out.rglob('0.jpg')
    linked.with_name('.0.jpg.link').symlink_to('left by a killed run')
    run(source, out, link=True, overwrite=True)
    assert linked.samefile(source / '0.jpg')
    run(source, out, overwrite=True)  # and by a copy
    assert not linked.is_symlink()
    assert not linked.samefile(source / '0.jpg')
    assert before == {
        path: (path.stat().st_mode, path.read_bytes()) for path in source.iterdir()
    }
    assert not [name for name in made(out) if '/.' in name]


def test_across_disks_the_link_is_symbolic(source, tmp_path, monkeypatch):
    def other_disk(*_, **__):
        raise OSError(18, 'Invalid cross-device link')

    monkeypatch.setattr('os.link', other_disk)
    out = tmp_path / 'out'
    run(source, out, link=True)
    (linked,) = out.rglob('0.jpg')
    assert linked.is_symlink()
    assert linked.read_bytes() == (source / '0.jpg').read_bytes()
    original = (source / '0.jpg').read_bytes()
    linked.unlink()
    linked.symlink_to(source / '1.jpg')  # which a copy must not write through
    run(source, out, overwrite=True)
    assert not linked.is_symlink()
    assert linked.read_bytes() == original
    assert (source / '1.jpg').read_bytes() != original


@pytest.mark.parametrize('workers', [0, 2])
def test_a_place_that_cannot_be_written_ends_the_conversion(source, tmp_path, workers):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/labels').write_text('in the way')
    with pytest.raises(OutputError, match='cannot write'):
        run(source, tmp_path / 'out', overwrite=True, workers=workers)
    assert not (tmp_path / 'out/dataset.json').exists()


def test_a_full_disk_is_said_in_one_sentence(source, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.replace', full)
    for link in (False, True):
        with pytest.raises(OutputError, match='No space left on device'):
            run(source, tmp_path / 'out', link=link)
        assert made(tmp_path / 'out') == []
        for folder in (
            'out/images/train',
            'out/labels/train',
            'out/labels',
            'out/images',
        ):
            if (tmp_path / folder).exists():
                (tmp_path / folder).rmdir()


def test_an_image_that_no_training_could_read_is_broken(source, tmp_path):
    (source / '0.jpg').rename(source / '0.heic')
    labelme_json(source / '0.json', [('wall', 'polygon', corners(LARGE))], '0.heic')
    result = run(source, tmp_path / 'out')
    assert "0.heic' is of no known kind" in result.failed[0]


def test_a_photo_turned_by_its_camera_is_told_from_one_that_is_not(source, tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees
    with Image.open(source / '0.jpg') as image:
        image.save(source / '0.jpg', exif=exif)
    result = run(source, tmp_path / 'out')
    assert 'is for 96x72 pixels and the image has 72x96' in result.failed[0]


def test_what_is_empty_wrong_or_broken_throughout_is_an_error(source, tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DataError, match=r'has no image to convert \(it is empty\)'):
        run(tmp_path / 'empty', tmp_path / 'out')
    with pytest.raises(DataError, match=r'has 1 classes in all: .* at least two'):
        run(source, tmp_path / 'out', background='wall')
    with pytest.raises(ArgumentError, match=r"no format 'cocoa'.*coco"):
        convert('cocoa', source, tmp_path / 'out')
    with pytest.raises(
        ArgumentError, match=r"no option 'colour': it has classes, back"
    ):
        run(source, tmp_path / 'out', colour='red')
    with pytest.raises(ArgumentError, match='--workers is -1'):
        run(source, tmp_path / 'out', workers=-1)
    for image in source.glob('*.jpg'):
        image.unlink()
    with pytest.raises(DataError, match=r'none of the 6 images .*0\.jpg'):
        run(source, tmp_path / 'new')
    assert not (tmp_path / 'new/dataset.json').exists()


def test_the_data_set_is_read_by_mmseg(source, tmp_path):
    from mmseg.datasets import BaseSegDataset

    result = run(source, tmp_path / 'out', val=0)
    data = BaseSegDataset(
        data_root=str(result.root),
        data_prefix={'img_path': 'images/train', 'seg_map_path': 'labels/train'},
        metainfo={'classes': result.classes},
        pipeline=[{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}],
    )
    assert len(data) == 6
    sample = data[0]
    assert sample['img'].shape == (72, 96, 3)
    assert np.bincount(sample['gt_seg_map'].ravel()).tolist() == [72 * 96 - 3000, 3000]
