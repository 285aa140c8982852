"""``sctnet infer`` and ``sctnet export``."""

import re

import cv2
import numpy as np
import pytest
from mmseg.datasets import CityscapesDataset
from support import SEG50
from tool_process import call, one_line_error

from sctnet.engine.written_labels import written_values

pytestmark = pytest.mark.slow


def names_below(folder):
    files = (path for path in folder.rglob('*') if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in files)


def test_infer_skips_bad_images_of_a_folder(released_city_s, photo, tmp_path):
    folder = tmp_path / 'images'
    folder.mkdir()
    (folder / 'good.png').write_bytes(photo.read_bytes())
    (folder / 'bad.png').write_bytes(photo.read_bytes()[:200])
    options = ['--config', SEG50, '--checkpoint', released_city_s, '--out-dir', 'out']
    done = call('infer', folder, *options, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert 'skipped: ' in done.stderr
    assert 'bad.png' in done.stderr
    assert '1 segmented, 1 skipped' in done.stdout
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == [
        'good_labels.png',
        'good_overlay.png',
    ]
    assert 'bad.png' in one_line_error(
        call('infer', folder / 'bad.png', *options, cwd=tmp_path)
    )


def test_infer_reads_folders_below_and_writes_what_servers_take(
    released_city_s, photo, tmp_path
):
    for name in ('test/a/x.png', 'test/b/x.png', 'test/b/notes.txt'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(photo.read_bytes())
    options = ('--config', SEG50, '--checkpoint', released_city_s)
    # Twice into a folder below, whose results are no images.
    inside = (None, 'test/results')
    for labels, out in (('cityscapes', 'ids'), inside, inside):
        words = (*options, '--out-dir', out, *((labels and ('--labels', labels)) or ()))
        done = call('infer', 'test', *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert '2 images in 2 folders; 1 other files are left out\n' in done.stdout
        last = done.stdout.splitlines()[-1]
        assert last.endswith(f'(--labels {labels or "index"})')
        assert names_below(tmp_path / out) == [
            'a/x_labels.png', 'a/x_overlay.png', 'b/x_labels.png', 'b/x_overlay.png',
        ]  # fmt: skip
    ids, index = (
        cv2.imread(str(tmp_path / folder / 'a' / 'x_labels.png'), -1)
        for folder in ('ids', 'test/results')
    )
    classes = CityscapesDataset.METAINFO['classes']
    table = written_values('cityscapes', 19, classes, None)
    assert np.array_equal(table[index], ids)
    done = call('infer', 'test', *options, '--labels', 'ade20k', cwd=tmp_path)
    assert 'for the 150 classes' in one_line_error(done)


def test_a_video_without_label_maps_has_no_kind_of_labels(released_city_s, tmp_path):
    size = (96, 80)
    writer = cv2.VideoWriter(
        str(tmp_path / 'x.mp4'), cv2.VideoWriter.fourcc(*'mp4v'), 8, size
    )
    writer.write(np.zeros((80, 96, 3), np.uint8))
    writer.release()
    words = ('--config', SEG50, '--checkpoint', released_city_s, '--labels', 'index')
    done = call('infer', 'x.mp4', *words, cwd=tmp_path)
    assert 'which a video or camera has with --save-labels' in one_line_error(done)


def test_infer_turns_a_video_into_a_video(released_city_s, tmp_path):
    size = (96, 80)
    writer = cv2.VideoWriter(
        str(tmp_path / 'drive.mp4'), cv2.VideoWriter.fourcc(*'mp4v'), 8, size
    )
    for value in (10, 90, 170):
        writer.write(np.full((80, 96, 3), value, np.uint8))
    writer.release()
    options = ['--config', SEG50, '--checkpoint', released_city_s]
    done = call('infer', 'drive.mp4', *options, '--max-frames', 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    said = '2 segmented, 0 skipped, 0 dropped at [\\d.]+ FPS \\(network [\\d.]+\\); '
    assert re.match(f"{said}results are in 'results/drive_overlay.mp4'", last)
    assert re.search(r'100% .* FPS \(network', done.stdout)
    assert [p.name for p in (tmp_path / 'results').iterdir()] == ['drive_overlay.mp4']


def test_export_writes_files_that_infer_takes(released_city_s, photo, tmp_path):
    done = call('export', SEG50, released_city_s, 'net.onnx', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "'net.onnx' written (2" in done.stdout
    assert re.search(
        r'100\.0000% of labels equal, logits within \de-0[5-7]', done.stdout
    )
    done = call('infer', photo, '--checkpoint', 'net.onnx', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'results' / 'photo_labels.png').is_file()


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ([], 'give both or neither'),
        (['--calibration', '.', '--normalise'], 'leave --size, --output and'),
    ],
)
def test_export_refuses_options_that_int8_lacks(words, expected, tmp_path):
    int8 = ('--precision', 'int8', *words)
    done = call('export', SEG50, 'none.pth', 'x.onnx', *int8, cwd=tmp_path)
    assert expected in one_line_error(done)
    assert not list(tmp_path.iterdir())


def test_infer_changes_the_config_and_passes_options_of_the_back_end(
    monkeypatch, released_city_s, photo, tmp_path
):
    from sctnet import apis

    built = []

    def init_model(*args, **options):
        built.append((options, apis_init(*args, **options)))
        return built[-1][1]

    apis_init = apis.init_model
    monkeypatch.setattr(apis, 'init_model', init_model)
    common = ('infer', photo, '--config', SEG50, '--checkpoint', released_city_s)
    changed = ('--cfg-options', 'test_pipeline.1.scale=(128,64)')
    torch_options = ('--backend', 'torch', '--dtype', 'bf16', '--channels-last')
    for words in ((*torch_options, *changed), ()):
        done = call(*common, *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    (given, model), (nothing, _) = built
    assert given == {'dtype': 'bf16', 'channels_last': True}
    assert model.cfg.test_pipeline[1].scale == (128, 64)
    assert nothing == {}
    done = call(*common, '--backend', 'torch', '--threads', '2', cwd=tmp_path)
    assert "backend 'torch' has no option 'threads'" in one_line_error(done)


def test_weights_alone_are_not_segmented_with(released_city_s, photo, tmp_path):
    done = call('infer', photo, '--checkpoint', released_city_s, cwd=tmp_path)
    assert 'name the config that they were trained with, --config' in one_line_error(
        done
    )
