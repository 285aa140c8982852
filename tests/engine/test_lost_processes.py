"""A run of two processes, one of which is killed or raises: the other ends and says so.

The processes are started without torchrun, which would end the other by itself.
"""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from support import REPOSITORY

CONFIG = 'sctnet_t_1xb4_600_streets_128x256'
HOOK = """
import os
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

@HOOKS.register_module()
class FailInOne(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 2 and os.environ['RANK'] == os.environ.get('FAILS'):
            raise ValueError('a fault of this process alone')
"""
OPTIONS = (
    *('model.siam=None', 'custom_hooks=[]', 'default_hooks.fail.type=FailInOne'),
    'train_dataloader.batch_size=2',
    *('train_cfg.max_iters=100000', 'train_cfg.val_interval=100000'),
    *('default_hooks.logger.interval=1', 'model.data_preprocessor.size=(64,64)'),
    'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
)
RUN = """
import sys
import failing_hook
from sctnet.cli import main
main(['train', *sys.argv[1:]])
"""


def start(rank, port, streets, folder, fails):
    place = {'RANK': rank, 'LOCAL_RANK': rank, 'WORLD_SIZE': 2, 'OMP_NUM_THREADS': 1}
    place.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=port, FAILS=fails)
    path = os.pathsep.join([str(folder), str(REPOSITORY)])
    env = {**os.environ, **{k: str(v) for k, v in place.items()}, 'PYTHONPATH': path}
    words = [CONFIG, '--launcher', 'pytorch', '--data-root', streets]
    words += ['--work-dir', folder / 'work', '--cfg-options', *OPTIONS]
    with open(folder / f'{rank}.txt', 'w') as said:
        return subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-c', RUN, *words],
            env=env,
            stdout=said,
            stderr=subprocess.STDOUT,
        )


@pytest.mark.slow
@pytest.mark.parametrize('how', ['killed', 'raises'])
def test_the_other_process_ends_with_a_sentence(how, streets, tmp_path):
    (tmp_path / 'failing_hook.py').write_text(HOOK)
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        port = one.getsockname()[1]
    fails = 1 if how == 'raises' else ''
    crew = [start(rank, port, streets, tmp_path, fails) for rank in range(2)]

    def said():
        return (tmp_path / '0.txt').read_text()

    try:
        while how == 'killed' and 'Iter(train) [     2/' not in said():
            assert all(one.poll() is None for one in crew), said()[-3000:]
            time.sleep(0.1)
        if how == 'killed':
            crew[1].send_signal(signal.SIGKILL)
        else:
            crew[1].wait(240)
        status = crew[0].wait(60)  # what the text above promises
    finally:
        for one in crew:
            one.kill()
            one.wait()
    assert status == 2, said()[-3000:]
    (line,) = [x for x in said().splitlines() if x.startswith('error: ')]
    assert 'process' in line
    assert ' is gone' in line or 'ended with an error' in line
    assert '--resume' in line
    assert 'Traceback' not in said()
    if how == 'raises':
        assert 'a fault of this process alone' in (tmp_path / '1.txt').read_text()
