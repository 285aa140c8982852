"""A disk that is full, and folders that cannot be written, while results are saved."""

import os
import resource
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from contract import _sentence
from mmengine.hooks import Hook
from small_training import small_config
from stock import LEAF, Stock
from tool_call import tool_call, without_weights
from written_files import leftovers

from sctnet.cli.library_errors import explain_run
from sctnet.engine.runner import Runner
from sctnet.errors import OutputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def stock(tmp_path_factory):
    return Stock(tmp_path_factory.mktemp('stock'))


@contextmanager
def files_up_to(size):
    """No file may grow beyond ``size`` bytes: writing more raises, as a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def error_of(call, capsys):
    """The one line with which a tool ends."""
    with pytest.raises(SystemExit) as ended:
        call()
    said = capsys.readouterr().err
    assert ended.value.code == 2, said
    lines = [line for line in said.splitlines() if line.startswith('error: ')]
    assert len(lines) == 1, said
    assert 'Traceback' not in said
    return lines[0]


def exported(stock, name, *words):
    from sctnet.deploy.export import Agreement

    stubs = without_weights(stock.model)
    data = stock.exported
    stubs['sctnet.deploy.export.build_onnx'] = lambda *a: data
    if name == 'calibrated':
        stubs['sctnet.deploy.int8._quantise'] = lambda d, *_: d
        stubs['sctnet.deploy.int8.build_onnx'] = lambda *a: data
        stubs['sctnet.deploy.int8.compare'] = lambda *a: Agreement(1.0, 0.0)
    return tool_call('export', LEAF, 'x.pth', *words, stubs=stubs)


def calls(stock, folder, target):
    """Name to a call of a tool that writes below ``target``."""
    image = folder / 'colour.png'
    image.write_bytes(stock.images['colour.png'])
    video = folder / 'short.mp4'
    video.write_bytes(stock.video)
    weights = folder / 'sound.pth'
    weights.write_bytes(stock.weights['zip.pth'])
    log = folder / 'run' / '1' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('{"step": 1, "mIoU": 3}\n')
    model = without_weights(stock.model)
    options = ['--checkpoint', 'x', '--config', 'x', '--out-dir', target]
    return {
        'images': tool_call('infer', image, *options, stubs=model),
        'video': tool_call('infer', video, *options, stubs=model),
        'pth': tool_call('weights', weights, target / 'a.pth'),
        'safetensors': tool_call('weights', weights, target / 'a.safetensors'),
        'onnx': exported(stock, 'onnx', target / 'a.onnx'),
        'scenes': tool_call(
            *('scenes', target / 'new', '--size', '128x64'),
            *('--train', '1', '--val', '1'),
        ),
        'curves': tool_call('plot', folder / 'run', '--out', target / 'c.png'),
    }


WRITERS = ('images', 'video', 'pth', 'safetensors', 'onnx', 'scenes', 'curves')


@pytest.mark.parametrize('name', WRITERS)
def test_a_full_disk_is_one_sentence_and_leaves_no_half(name, stock, tmp_path, capsys):
    target = tmp_path / 'results'
    call = calls(stock, tmp_path, target)[name]
    with files_up_to(300):
        said = error_of(call, capsys)
    assert 'write' in said or 'could not be finished' in said
    assert not list(_sentence(said.removeprefix('error: ')))
    assert not list(leftovers([tmp_path, target], {}))
    assert all(file.suffix == '.json' for file in target.rglob('*') if file.is_file())


@pytest.mark.parametrize('name', WRITERS)
def test_a_file_in_place_of_the_folder_is_one_sentence(name, stock, tmp_path, capsys):
    target = tmp_path / 'results'
    target.write_text('mine')
    said = error_of(calls(stock, tmp_path, target)[name], capsys)
    assert str(target) in said
    assert target.read_text() == 'mine'


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 kB."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    words = ['mount', '-t', 'tmpfs', '-o', 'size=200k', 'none', folder]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f'no file system can be mounted here: {done.stderr.strip()}')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


def test_a_disk_that_is_really_full_keeps_what_was_there(
    stock, small_disk, tmp_path, capsys
):
    (small_disk / 'a.pth').write_bytes(b'older')
    (small_disk / 'rest').write_bytes(bytes(190_000))
    for name in ('pth', 'video', 'onnx', 'images'):
        folder = tmp_path / name
        folder.mkdir()
        # No room for the overlay of an image either.
        said = error_of(calls(stock, folder, small_disk)[name], capsys)
        assert 'space left' in said, name
    assert (small_disk / 'a.pth').read_bytes() == b'older'
    assert sorted(p.name for p in small_disk.iterdir()) == ['a.pth', 'rest']


def test_a_full_folder_for_temporary_files_is_one_sentence(
    stock, small_disk, tmp_path, capsys, monkeypatch
):
    (small_disk / 'rest').write_bytes(bytes(190_000))
    monkeypatch.setattr('tempfile.tempdir', str(small_disk))
    target = tmp_path / 'a.onnx'
    said = error_of(exported(stock, 'onnx', target), capsys)
    assert 'TMPDIR' in said
    assert not target.exists()


class FillDisk(Hook):
    """From iteration 2 on, no file holds more than 20 kB."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 2:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))


def test_a_training_on_a_full_disk_keeps_its_older_checkpoints(streets, tmp_path):
    options = {'model.siam': None, 'custom_hooks': []}
    options['default_hooks.checkpoint.interval'] = 1
    options['default_hooks.checkpoint.max_keep_ckpts'] = 1
    cfg = small_config(streets, tmp_path, options=options, iterations=6)
    runner = Runner.from_cfg(cfg)
    runner.register_hook(FillDisk())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        said = r'iter_3.pth.*space left'
        with pytest.raises(OutputError, match=said) as raised, explain_run():
            runner.train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(_sentence(str(raised.value)))
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_2.pth']
    assert torch.load(tmp_path / 'iter_2.pth')['meta']['iter'] == 2
    assert not list(tmp_path.rglob('.*-*'))
    assert (tmp_path / 'last_checkpoint').read_text().endswith('iter_2.pth')


def as_nobody(call):
    """What ``call`` raises where permission bits bite, as root's never do."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = b'nothing'
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            call()
        except BaseException as error:
            said = f'{type(error).__name__}: {error}'.encode()
        os.write(write, said)
        os._exit(0)
    os.close(write)
    said = os.read(read, 10_000).decode()
    os.waitpid(child, 0)
    return said


def test_a_folder_without_permission_is_one_sentence(tmp_path):
    from sctnet.datasets.street_scenes import write_street_scenes
    from sctnet.files import check_writable, write_bytes

    # pytest's own folders are for their owner alone.
    folder = (
        Path('/tmp') / f'{tmp_path.parent.parent.name}-{tmp_path.name}-{os.getpid()}'
    )
    folder.mkdir(mode=0o555)
    try:
        tries = {
            'write': lambda: write_bytes(folder / 'a.png', b'x'),
            'work folder': lambda: check_writable(folder, '--work-dir'),
            'scenes': lambda: write_street_scenes(folder / 'new', 1, 0, (128, 64)),
        }
        for name, call in tries.items():
            said = as_nobody(call)
            assert said.startswith('OutputError: '), (name, said)
            assert str(folder) in said
            assert '\n' not in said
        assert not list(folder.iterdir())
    finally:
        folder.rmdir()
