"""What all formats share: a data set appears whole or not at all, with a summary."""

import json
import os

import numpy as np
import pytest
from conversion_sources import (
    LARGE,
    by_name,
    corners,
    expected,
    labelme_json,
    labels_of,
    made,
    picture,
)
from PIL import Image

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.write_pair import write_label_map
from sctnet.errors import ArgumentError, DataError, OutputError


@pytest.fixture
def source(tmp_path):
    return write(tmp_path / 'source', 6)


@pytest.fixture
def many(tmp_path):
    """The same with 40 images, one of which is broken."""
    folder = write(tmp_path / 'source', 40)
    (folder / '9.jpg').write_bytes(b'')
    return folder


def write(folder, count):
    for number in range(count):
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
    assert min(summary['images'][part] for part in ('train', 'val')) > 0
    assert summary['pixels'] == {'background': 6 * (72 * 96 - 3000), 'wall': 6 * 3000}
    assert (summary['ignore_index'], summary['ignored_pixels']) == (255, 0)
    assert 'bad\udcfc.json' in summary['failed'][0]


@pytest.mark.parametrize('workers', [0, 2])
def test_an_interrupted_conversion_leaves_nothing(many, tmp_path, workers):
    out, before = tmp_path / 'data' / 'out', by_name(tmp_path)

    def stop(done, total):
        assert total == 40
        assert not out.exists()
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(many, out, progress=stop, workers=workers)
    assert by_name(tmp_path) == before
    assert os.listdir(tmp_path / 'data') == []
    # What a killed run leaves, the next one removes.
    (tmp_path / 'data/.out.unfinished/images/train').mkdir(parents=True)
    (tmp_path / 'data/.out.unfinished/images/train/old.jpg').write_text('old')
    assert sum(run(many, out).images.values()) == 39
    assert os.listdir(tmp_path / 'data') == ['out']
    assert len(made(out)) == 2 * 39 + 1


def test_many_threads_make_what_one_makes(many, tmp_path):
    first, second = (
        (result, by_name(result.root))
        for result in (
            run(many, tmp_path / 'a'),
            run(many, tmp_path / 'b', workers=4),
        )
    )
    assert first[1] == second[1]
    assert len(first[1]) == 2 * sum(first[0].images.values()) + 1
    assert first[0].pixels.tolist() == second[0].pixels.tolist()


def test_a_place_that_holds_something_is_refused_and_left_alone(source, tmp_path):
    out = tmp_path / 'out'
    (out / 'images/train').mkdir(parents=True)
    (out / 'images/train/mine.txt').write_text('mine')
    with pytest.raises(OutputError, match='is not empty: name a new folder, or delete'):
        run(source, out)
    assert made(out) == ['images/train/mine.txt']
    (tmp_path / 'file').write_text('x')
    with pytest.raises(OutputError, match='is a file: name a new folder'):
        run(source, tmp_path / 'file')
    with pytest.raises(OutputError, match='cannot write'):
        run(source, tmp_path / 'file/out')
    before = by_name(tmp_path)
    for inside in ('source', 'source/out', '.'):
        with pytest.raises(OutputError, match='lie in each other'):
            run(source, tmp_path / inside)
    assert by_name(tmp_path) == before


def test_links_share_the_pixels_and_leave_the_original_alone(source, tmp_path):
    os.chmod(source / '0.jpg', 0o640)
    before = {
        path: (path.stat().st_mode, path.read_bytes()) for path in source.iterdir()
    }
    run(source, tmp_path / 'out', link=True)
    (linked,) = (tmp_path / 'out').rglob('0.jpg')
    assert linked.samefile(source / '0.jpg')
    run(source, tmp_path / 'copies')
    (copied,) = (tmp_path / 'copies').rglob('0.jpg')
    assert not copied.samefile(source / '0.jpg')
    assert copied.read_bytes() == linked.read_bytes()
    assert before == {
        path: (path.stat().st_mode, path.read_bytes()) for path in source.iterdir()
    }


def test_across_disks_the_link_is_symbolic(source, tmp_path, monkeypatch):
    def other_disk(*_, **__):
        raise OSError(18, 'Invalid cross-device link')

    monkeypatch.setattr('os.link', other_disk)
    monkeypatch.chdir(tmp_path)
    run(source.relative_to(tmp_path), 'out', link=True)
    (linked,) = (tmp_path / 'out').rglob('0.jpg')
    assert linked.is_symlink()
    assert linked.read_bytes() == (source / '0.jpg').read_bytes()


@pytest.mark.parametrize('call', ['replace', 'symlink'])
def test_a_full_disk_is_said_in_one_sentence(source, tmp_path, monkeypatch, call):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(f'os.{call}', full)
    monkeypatch.setattr('os.link', full)
    with pytest.raises(OutputError, match='No space left on device'):
        run(source, tmp_path / 'out', link=True)
    assert os.listdir(tmp_path) == ['source']


def test_an_image_that_no_training_could_read_is_broken(source, tmp_path):
    (source / '0.jpg').rename(source / '0.heic')
    labelme_json(source / '0.json', [('wall', 'polygon', corners(LARGE))], '0.heic')
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees
    with Image.open(source / '1.jpg') as image:
        image.save(source / '1.jpg', exif=exif)
    result = run(source, tmp_path / 'out')
    assert "0.heic' is of no known kind" in result.failed[0]
    # The size says that 1 was drawn before the turn.
    assert result.skipped == {
        'label maps turned as the orientation tag turns their image': 1
    }
    upright, turned = (labels_of(tmp_path / 'out', n, '*') for n in '21')
    assert np.array_equal(turned, np.rot90(upright, -1))


@pytest.mark.parametrize('told', ['raw', 'upright', None])
def test_half_a_turn_is_as_the_other_turns_are(tmp_path, told):
    source, labels = tmp_path / 'in', expected((LARGE, 1))
    exif = Image.Exif()
    for name, tag in (('half', 3), *([('quarter', 6)] if told else ())):
        exif[0x0112] = tag
        file = picture(source / f'images/{name}.jpg')
        with Image.open(file) as image:
            image.save(file, exif=exif)
        drawn = np.rot90(labels, -1) if name == 'quarter' and told != 'raw' else labels
        write_label_map(source / f'masks/{name}.png', drawn)
    options = {'classes': 'a,b', 'tile': 64} if told == 'raw' else {'classes': 'a,b'}
    convert('masks', source, tmp_path / 'out', val=0, workers=0, link=True, **options)
    name, made = 'half', labels
    if told == 'raw':
        name, made = 'half_x0000_y0000', np.rot90(labels, 2)[:64, :64]
    assert np.array_equal(labels_of(tmp_path / 'out', name), made)


def test_what_is_empty_wrong_or_broken_throughout_is_an_error(source, tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DataError, match=r'has no image to convert \(it is empty\)'):
        run(tmp_path / 'empty', tmp_path / 'out')
    with pytest.raises(DataError, match=r'has 1 classes in all: .* at least two'):
        run(source, tmp_path / 'out', background='wall')
    with pytest.raises(ArgumentError, match=r"no format 'cocoa'.*coco"):
        convert('cocoa', source, tmp_path / 'out')
    with pytest.raises(
        ArgumentError, match=r'no option --colour .--background, --order'
    ):
        run(source, tmp_path / 'out', colour='red')
    with pytest.raises(ArgumentError, match='format colours needs --colours: see'):
        convert('colours', source, tmp_path / 'out')
    with pytest.raises(ArgumentError, match='--workers is -1'):
        run(source, tmp_path / 'out', workers=-1)
    for image in source.glob('*.jpg'):
        image.unlink()
    with pytest.raises(DataError, match=r'none of the 6 images .*0\.jpg'):
        run(source, tmp_path / 'out')
    assert sorted(os.listdir(tmp_path)) == ['empty', 'source']
