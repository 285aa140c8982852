"""Interrupted, damaged, foreign and malicious archives."""

import zipfile

import pytest
from archive_sources import ade, cityscapes, coco_stuff
from conversion_sources import (
    by_name,
    made,
    write_zip,
)
from tool_process import call, one_line_error

from sctnet.datasets.prepare.archives import Archive
from sctnet.datasets.prepare.prepare_dataset import prepare
from sctnet.errors import ArgumentError, DataError, OutputError


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
    kept.unlink()
    result = prepare('cityscapes', archives, out, workers=0)
    assert (result.kept, result.written) == (10, 1)
    assert kept.read_bytes() != before


def test_another_file_in_the_place_is_not_overwritten(tmp_path):
    archive, out = ade(tmp_path / 'a.zip'), tmp_path / 'data'
    prepare('ade20k', [archive], out, workers=0)
    mine = out / 'ade/ADEChallengeData2016/objectInfo150.txt'
    mine.write_text('my own notes')
    before = by_name(out)
    with pytest.raises(OutputError, match=r'12 bytes instead of 6\): delete it, or'):
        prepare('ade20k', [archive], out, workers=0)
    assert by_name(out) == before
    mine.unlink()
    prepare('ade20k', [archive], out, workers=0)
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
        Archive(archive)


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


def test_the_tool_says_what_it_did_and_which_members_are_damaged(tmp_path):
    archive = ade(tmp_path / 'a.zip')
    done = call('prepare', 'ade20k', archive, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '5 files written, 0 were there, 0 are broken' in done.stdout
    assert 'data/ade/ADEChallengeData2016' in done.stdout
    archive.write_bytes(archive.read_bytes()[:-200])
    done = call('prepare', 'ade20k', archive, cwd=tmp_path)
    assert 'is truncated or no zip archive' in one_line_error(done)
