"""``sctnet fit``: all stages in one command, and none of them twice."""

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import pytest
from tool_process import call, one_line_error

sys.path.append(str(Path(__file__).parents[1] / 'datasets' / 'new'))
import exports

from sctnet.apis import inference_model, init_model
from sctnet.catalog import load_config
from sctnet.cli import fit as command
from sctnet.cli import trainings


@pytest.fixture
def data(tmp_path):
    exports.flat_folders(tmp_path / 'photos')
    return tmp_path / 'photos'


@pytest.fixture
def stages(monkeypatch):
    """What is run, in the place of running it; a training leaves its checkpoint."""
    done = []

    def run(words):
        words = words[3:]
        done.append(words)
        named = dict(pairwise(words))
        if words[0] == 'new':
            return subprocess.run([sys.executable, '-m', 'sctnet', *words]).returncode
        if words[0] == 'train':
            length = trainings.Trainings(Path(words[1]).parent, False).length(
                Path(words[1]).stem
            )
            folder = Path(named['--work-dir'])
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f'iter_{length}.pth').write_bytes(b'')
        for option in ('--html', '--report', '--out-dir'):
            if option in named:
                place = Path(named[option])
                place = place / 'index.html' if option != '--html' else place
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text('')
                (place.parent / 'report.json').write_text('{"mIoU": 71.26}')
        if words[0] in ('export', 'plot'):
            Path(words[-1]).write_bytes(b'')
        return 0

    def compare(self, names, path):
        done.append(['compare', *names])
        path.write_bytes(b'')

    monkeypatch.setattr(trainings.subprocess, 'call', run)
    monkeypatch.setattr(trainings.Trainings, 'compare', compare)
    return done


def test_every_stage_is_run_once(data, tmp_path, stages, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'weights.pth').write_bytes(b'')
    words = (data, '--out', 'out', '--student', 't', '--classes', 'a,b,c')
    done = call('fit', *words, '--from', 'weights.pth', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [stage[0] for stage in stages] == [
        *('new', 'check', 'train', 'train', 'test', 'export', 'infer', 'plot'),
        'compare',
    ]
    assert stages[-1] == ['compare', 'teacher', 'student']
    assert (
        "model.onnx, results, work/student, configs; the student's mIoU is 71.3 %"
        in (done.stdout)
    )
    assert not (tmp_path / 'out/shown').exists()
    assert all(f'$ sctnet {stage[0]} ' in done.stdout for stage in stages[:-1])
    teacher, student = (stage for stage in stages if stage[0] == 'train')
    assert '--from' not in teacher
    assert student[-4:] == ['--teacher', 'out/work/teacher', '--from', 'weights.pth']
    stages.clear()
    again = call('fit', *words, '--from', 'weights.pth', cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert not stages
    assert "the teacher is trained: 'out/work/teacher'" in again.stdout
    # A training that was cut short goes on from its own weights.
    for path in (tmp_path / 'out').rglob('*'):
        os.utime(path, (1, 1))
    (tmp_path / 'out/work/student/iter_600.pth').rename(
        tmp_path / 'out/work/student/iter_60.pth'
    )
    call('fit', *words, '--from', 'weights.pth', cwd=tmp_path)
    # What was made of it is made again.
    kinds = [stage[0] for stage in stages]
    assert kinds == ['train', 'test', 'export', 'infer', 'plot', 'compare']
    assert stages[0][-1] == '--resume'
    assert '--overwrite' in stages[1]


def test_what_a_later_stage_lacks_is_said_before(data, tmp_path, stages, monkeypatch):
    monkeypatch.setattr(
        'sctnet.compat.optional_packages.is_installed', lambda name: name != 'onnx'
    )
    said = one_line_error(call('fit', data, '--out', 'out', cwd=tmp_path))
    assert said.endswith('or leave the export out with --no-export')
    usage = shutil.disk_usage(tmp_path)._replace(free=1 << 20)
    monkeypatch.setattr(command.shutil, 'disk_usage', lambda _: usage)
    words = ('fit', data, '--out', 'out', '--no-export')
    assert 'has 1 MiB left' in one_line_error(call(*words, cwd=tmp_path))
    for more, text in (
        (('--minutes', '0'), '--minutes is 0'),
        (('--minutes', '3', '--iterations', '5'), 'exclude each other'),
    ):
        assert text in one_line_error(call(*words, *more, cwd=tmp_path))
    assert not stages


def test_a_stage_that_fails_ends_it_with_its_status(data, tmp_path, monkeypatch):
    monkeypatch.setattr(trainings.subprocess, 'call', lambda words: 2)
    done = call('fit', data, '--out', 'out', '--no-export', cwd=tmp_path)
    assert done.returncode == 2
    assert 'sctnet new failed with status 2' in done.stderr


def test_an_option_that_an_error_asks_for_is_taken(tmp_path, stages):
    for n in range(6):
        exports.picture(tmp_path / f'in/images/{n}.png', n)
        exports.write(tmp_path / f'in/masks/{n}.png', (exports.labels(n) > 0) * 255)
    words = ('fit', tmp_path / 'in', '--out', 'out', '--student', 't', '--no-export')
    assert call(*words, cwd=tmp_path).returncode == 2
    assert not (tmp_path / 'out/fit.json').exists()
    assert call(*words, '--map', '0:0,255:1', cwd=tmp_path).returncode == 0


def test_classes_that_nobody_labelled_are_left_out_by_the_option_that_is_said(
    tmp_path, stages, monkeypatch
):
    run, sctnet = trainings.subprocess.call, [sys.executable, '-m', 'sctnet']
    monkeypatch.setattr(
        trainings.subprocess,
        'call',
        lambda w: (
            subprocess.run([*sctnet, *w[3:]], capture_output=True).returncode
            if w[3] == 'check'
            else run(w)
        ),
    )
    exports.flat_folders(tmp_path / 'in')  # values 0 to 2
    names = ('--classes', 'a,b,c,disc', '--student', 't', '--no-export')
    words = ('fit', 'in', '--out', 'out', *names)
    done = call(*words, cwd=tmp_path)
    assert done.returncode == 1
    said = 'to leave out what no training image shows, add --keep a,b,c\n'
    assert said in done.stderr
    assert call(*words, '--keep', 'a,b,c', cwd=tmp_path).returncode == 0
    assert load_config(tmp_path / 'out/student.py').classes == ('a', 'b', 'c')


def test_a_background_without_a_pixel_is_left_out_by_name(capsys):
    classes = [{'name': 'background', 'pixels': 0}, {'name': 'a b', 'pixels': 9}]
    fault = {'kind': 'class without a pixel', 'serious': True}
    figures = {'faults': [fault], 'parts': {'train': {'classes': classes}}}
    command._tell_unseen(figures, 'background')
    said = "add --rename background=ignore --keep 'a b'"
    assert said in capsys.readouterr().err


def test_as_long_as_nothing_is_trained_choices_and_data_are_free(
    data, tmp_path, stages, monkeypatch
):
    run = trainings.subprocess.call
    status = {'check': 1}
    monkeypatch.setattr(
        trainings.subprocess, 'call', lambda w: run(w) or status.get(w[3], 0)
    )
    words = ('fit', data, '--out', 'out', '--student', 't', '--no-export')
    assert call(*words, cwd=tmp_path).returncode == 1
    (tmp_path / 'out/work/mine.txt').write_text('of somebody')
    done = call(*words, '--crop', '64', cwd=tmp_path)
    assert (tmp_path / 'out/work/mine.txt').is_file()
    assert "trained in 'out', begun without --crop=64: it is made anew" in done.stdout
    assert 'crop_size = (64, 64)' in (tmp_path / 'out/student.py').read_text()
    exports.picture(data / 'images/image_0009.png', 9)
    exports.write(data / 'masks/gt_0009.png', exports.labels(9))
    done = call(*words, '--crop', '64', cwd=tmp_path)
    assert 'begun with other files: it is made anew' in done.stdout
    # What was changed by hand is not thrown away.
    os.utime(tmp_path / 'out/student.py')
    said = one_line_error(call(*words, cwd=tmp_path))
    assert 'begun with --crop=64, and student.py was changed since' in said
    status.clear()
    assert call(*words, '--crop', '64', cwd=tmp_path).returncode == 0
    # Trained, it only says so.
    (data / 'images/image_0009.png').unlink()
    done = call(*words, '--crop', '64', cwd=tmp_path)
    assert 'has other files than at the beginning, and a training has' in done.stdout
    assert done.returncode == 0


@pytest.mark.more
def test_it_trains_tests_and_exports(data, tmp_path):
    words = ('--out', 'out', '--student', 't', '--minutes', '0.05')
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-m', 'sctnet', 'fit', data, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    out = tmp_path / 'out'
    for name in ('report/index.html', 'check.html', 'model.onnx'):
        assert (out / name).stat().st_size > 1000
    assert list((out / 'results').glob('*_overlay.*'))
    assert re.search(r'\d+ iterations of each training fit into 0.05', done.stdout)
    assert not (out / 'work/timing').exists()


@pytest.mark.slow
def test_tiles_of_four_bands_go_to_the_end(tmp_path):
    """As GIS programs write them: 12 bits in 16, tiled, with georeference."""
    exports.geo_tiles(tmp_path / 'tiles')
    words = ('--out', 'out', '--student', 't', '--iterations', '4', '--no-teacher')
    done = call('fit', 'tiles', *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    out = tmp_path / 'out'
    (overlay,) = (out / 'results').glob('*_overlay.png')
    (image,) = out.glob(f'data/images/val/{overlay.name[:6]}.tif')
    assert cv2.imread(str(overlay)).max() > 100
    model = init_model(out / 'model.onnx')
    kept = model.cfg.test_pipeline[0]
    assert kept == {'type': 'LoadBands'}
    mean = load_config(out / 'student.py').model.data_preprocessor.mean
    assert model.data_preprocessor.mean.flatten().tolist() == pytest.approx(mean)
    found = inference_model(model, image).pred_sem_seg.data[0].numpy()
    labels = overlay.with_name(overlay.name.replace('overlay', 'labels'))
    written = cv2.imread(str(labels), cv2.IMREAD_UNCHANGED)
    assert (found == written).mean() > 0.999


def test_other_choices_are_refused_the_second_time(data, tmp_path, stages):
    words = ('fit', data, '--out', 'out', '--student', 't', '--no-export')
    assert call(*words, cwd=tmp_path).returncode == 0
    stages.clear()
    for more, key in (
        (('--crop', '64'), 'without --crop=64'),
        (('--student', 's'), 'with --student=t'),
        (('--no-teacher',), 'without --no-teacher'),
        (('--minutes', '3'), 'without --minutes=3'),
    ):
        said = one_line_error(call(*words, *more, cwd=tmp_path))
        assert key in said
        assert 'and a training has begun' in said
    assert not stages


def test_faults_are_found_again_and_broken_files_are_told(data, tmp_path, stages):
    (data / 'masks/gt_0001.png').write_bytes(b'no mask')
    words = ('fit', data, '--out', 'out', '--student', 't', '--no-export')
    done = call(*words, cwd=tmp_path)
    assert '1 broken file left out of the data set' in str(done.returncode)
    assert [stage[0] for stage in stages][-1] == 'compare'  # all the rest was done
    assert '1 broken file left' in str(call(*words, cwd=tmp_path).returncode)


def test_a_data_set_with_faults_is_checked_until_it_has_none(
    data, tmp_path, stages, monkeypatch
):
    run = trainings.subprocess.call
    status = {'check': 1}
    monkeypatch.setattr(
        trainings.subprocess, 'call', lambda w: run(w) or status.get(w[3], 0)
    )
    words = ('fit', data, '--out', 'out', '--student', 't', '--no-export')
    for _ in range(2):
        assert call(*words, cwd=tmp_path).returncode == 1
        assert stages[-1][0] == 'check'
    status.clear()
    assert call(*words, cwd=tmp_path).returncode == 0


def test_what_the_configs_of_new_say_is_not_chosen_again(data, tmp_path, stages):
    assert (
        call('new', data, '--out', 'out', '--student', 't', cwd=tmp_path).returncode
        == 0
    )
    words = ('fit', data, '--out', 'out', '--no-export')
    said = one_line_error(call(*words, '--student', 't', '--crop', '64', cwd=tmp_path))
    assert '--student=t --crop=64 cannot be chosen: change the configs' in said
    assert not stages
    assert call(*words, cwd=tmp_path).returncode == 0
    assert 'new' not in [stage[0] for stage in stages]
    assert 'begun without --minutes=1.0' in one_line_error(
        call(*words, '--minutes', '1', cwd=tmp_path)
    )
    shutil.rmtree(tmp_path / 'out/work')  # nothing is trained, and not made anew
    said = one_line_error(call(*words, '--crop', '64', cwd=tmp_path))
    assert '--crop=64 cannot be chosen: change the configs' in said
    assert call(*words, '--no-teacher', cwd=tmp_path).returncode == 0


def test_choices_of_the_data_become_words():
    given = {'rename': {'a': 'b', 'c': 'ignore'}, 'classes': ['x', 'y'], 'val': None}
    given |= {'stratify': True, 'overlap': 0, 'tile': 512, 'row_major': True}
    words = command.words_of(given)
    assert sorted(words) == [
        '--classes=x,y', '--rename=a=b,c=ignore', '--row-major',
        '--stratify', '--tile=512',
    ]  # fmt: skip
