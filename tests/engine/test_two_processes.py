"""A training of two processes, as torchrun starts it; and one that loses a process."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from mmseg.registry import MODELS
from small_training import LEAF, TEACHER, save_teacher_of
from support import REPOSITORY

from sctnet.catalog import load_config
from sctnet.weights.safe_files import read_checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.more]

# The training that these tests start, with a process that hangs, or fails alone.
MISHAP = """
import os, time
from mmengine.hooks import Hook

class Mishap(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 2 and runner.rank == 1:
            if os.environ['MISHAP'] == 'raises':
                raise ValueError('a fault of this process alone')
            if os.environ['MISHAP'] == 'hangs':
                time.sleep(600)
"""
RUN = """
from mishap import Mishap
from mmengine.config import read_base

with read_base():
    from sctnet.configs.sctnet.sctnet_t_1xb4_600_streets_128x256 import *

default_hooks.update(mishap=dict(type=Mishap))
"""
OPTIONS = (
    *('train_cfg.val_interval=100000', 'train_dataloader.batch_size=2'),
    *('default_hooks.logger.interval=1', 'model.data_preprocessor.size=(64,64)'),
    'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
)
ALONE = ('model.siam=None', 'custom_hooks=[]', 'train_cfg.max_iters=100000')


def start(streets, folder, *options, mishap='', words=()):
    """Start a training of two processes as a user does; return torchrun."""
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        port = str(one.getsockname()[1])
    paths = [os.path.dirname(sys.executable), os.environ['PATH']]
    env = {'PATH': os.pathsep.join(paths), 'PORT': port, 'OMP_NUM_THREADS': '1'}
    env['CUDA_VISIBLE_DEVICES'] = ''  # of which NCCL wants one for each process
    env['PYTHONPATH'] = os.pathsep.join([str(folder), str(REPOSITORY)])
    (folder / 'mishap.py').write_text(MISHAP)
    (folder / 'run.py').write_text(RUN)
    script = REPOSITORY / 'tools' / 'dist_train.sh'
    with open(folder / 'said.txt', 'w') as said:
        return subprocess.Popen(
            [
                *('bash', script, 'run.py', '2', '--work-dir', 'work', *words),
                *('--data-root', streets, '--cfg-options', *OPTIONS, *options),
            ],
            cwd=folder,
            env={**os.environ, **env, 'MISHAP': mishap},
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def workers_of(process):
    """The process ids of the two trainings below torchrun, the first one first."""
    found = {}
    for path in Path('/proc').glob('[0-9]*/environ'):
        with suppress(OSError):
            env = dict(
                pair.split('=', 1)
                for pair in path.read_bytes().decode().split('\0')
                if '=' in pair
            )
            status = (path.parent / 'stat').read_text().rpartition(') ')[2].split()
            if int(status[1]) == process.pid and 'RANK' in env:
                found[int(env['RANK'])] = int(path.parent.name)
    return [found[rank] for rank in sorted(found)]


@pytest.mark.parametrize('how', ['killed', 'raises', 'hangs'])
def test_a_run_that_lost_a_process_ends_with_a_sentence(how, streets, tmp_path):
    """Nobody waits for a dead process; for one that hangs, as long as it is told."""
    timeout = 'env_cfg.dist_cfg.timeout=' + ('20' if how == 'hangs' else '600')
    process = start(streets, tmp_path, *ALONE, timeout, mishap=how)

    def said():
        return (tmp_path / 'said.txt').read_text()

    try:
        while 'Iter(train) [     2/' not in said():
            assert process.poll() is None, said()[-3000:]
            time.sleep(0.1)
        if how == 'killed':
            os.kill(workers_of(process)[1], signal.SIGKILL)
        assert process.wait(60) != 0  # what the text above promises
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    errors = [line for line in said().splitlines() if line.startswith('error: ')]
    assert errors, said()[-3000:]
    assert all('another process of this run is gone or hangs' in x for x in errors), (
        errors
    )
    assert all('--resume' in x for x in errors)
    assert ('a fault of this process alone' in said()) == (how == 'raises')


def test_two_processes_train_and_leave_no_teacher_behind(streets, tmp_path):
    words = ('--teacher', save_teacher_of(tmp_path / 't.pth', TEACHER))
    process = start(streets, tmp_path, 'train_cfg.max_iters=2', words=words)
    status, said = process.wait(300), (tmp_path / 'said.txt').read_text()
    assert status == 0, said[-3000:]
    (log,) = (tmp_path / 'work').rglob('*.log')  # of the first process alone
    assert 'GPU number: 2' in log.read_text()
    assert 'siam.loss_sdha_logits' in said
    weights = read_checkpoint(tmp_path / 'work' / 'iter_2.pth')['state_dict']
    assert weights.keys() == MODELS.build(load_config(LEAF).model).state_dict().keys()
    assert not any('teacher' in name or 'segmentor' in name for name in weights)
