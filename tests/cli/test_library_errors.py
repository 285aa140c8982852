import errno

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

import sctnet.engine  # noqa: F401  registers the loop
from sctnet.cli.library_errors import explain, explain_run
from sctnet.errors import DataError, OutOfMemoryError, OutputError, ProcessError

KILLED = (
    'DataLoader worker (pid 123) is killed by signal: Killed. Details are lost due to '
    'multiprocessing.'
)


@pytest.mark.parametrize(
    ('error', 'kind', 'words'),
    [
        (RuntimeError(KILLED), ProcessError, r'\(process 123\).*killed by signal'),
        (
            RuntimeError('DataLoader worker (pid(s) 7, 8) exited unexpectedly'),
            ProcessError,
            r'\(process 7, 8\) is gone \(exited unexpectedly\)',
        ),
        (
            RuntimeError('[x/gloo/pair.cc:5] Connection closed by peer [::1]:3'),
            ProcessError,
            r'another process.*\(Connection closed by peer\)',
        ),
        (OSError(errno.ENOSPC, 'full', 'a.json'), OutputError, "'a.json' \\(full\\)"),
        (OSError(errno.EROFS, 'read only'), OutputError, 'a file'),
    ],
)
def test_what_hits_a_run_from_outside_gets_a_sentence(error, kind, words):
    with pytest.raises(kind, match=words) as raised, explain_run():
        raise error
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    'error',
    [ValueError('x'), RuntimeError('shapes differ'), OSError(errno.ENOENT, 'no file')],
)
def test_other_errors_of_a_run_stay_what_they_are(error):
    assert explain(error) is None
    with pytest.raises(type(error)) as raised, explain_run():
        raise error
    assert raised.value is error


ON_GPU = torch.cuda.OutOfMemoryError(
    'CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of ...'
)
ON_CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate "
    'memory: you tried to allocate 4096 bytes. Error code 12 (Cannot allocate memory)'
)


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (ON_GPU, r'^the memory of the GPU is full \(2.00 GiB more were asked\): end'),
        (RuntimeError('CUDA error: CUBLAS_STATUS_ALLOC_FAILED'), 'of the GPU is full:'),
        (ON_CPU, r'^the memory of this machine is full \(4096 bytes more'),
        (MemoryError(), 'of this machine is full:'),
        (OSError(errno.ENOMEM, 'Cannot allocate memory'), 'of this machine is full:'),
        (
            RuntimeError('Caught _ArrayMemoryError in DataLoader worker process 0.\n'),
            'is full in a worker that loads data: set ..._dataloader.num_workers',
        ),
    ],
)
def test_a_full_memory_is_told(error, words):
    with pytest.raises(OutOfMemoryError, match=words), explain_run():
        raise error


class Full(BaseModel):
    """A model whose training or prediction finds no memory."""

    def __init__(self, error, mode):
        super().__init__()
        self.layer, self.error, self.mode = nn.Linear(1, 1), error, mode

    def forward(self, inputs, mode='tensor'):
        if mode == self.mode:
            raise type(self.error)(*self.error.args)  # without an old traceback
        return {'loss': self.layer(inputs).sum()}


@pytest.mark.parametrize('error', [ON_GPU, ON_CPU])
@pytest.mark.parametrize('loop', ['EpochBasedTrainLoop', 'ResumableTrainLoop'])
def test_a_full_memory_in_a_run_is_told_with_its_batch_and_remedy(
    error, loop, tmp_path, monkeypatch
):
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    length = {'max_epochs' if 'Epoch' in loop else 'max_iters': 1}

    def run(mode, part):
        loader = {
            'batch_size': 3,
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
            'dataset': torch.ones(3, 1).unbind(),
            'collate_fn': lambda samples: {'inputs': torch.stack(samples)},
        }
        runner = Runner(
            model=Full(error, mode),
            work_dir=str(tmp_path),
            experiment_name=f'{tmp_path.name}-{mode}-{part}',
            **{f'{part}_dataloader': loader},
            train_cfg={'type': loop, **length} if part == 'train' else None,
            optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1}}
            if part == 'train'
            else None,
            **({} if part == 'train' else {f'{part}_cfg': {}}),
            **({} if part == 'train' else {f'{part}_evaluator': []}),
            default_scope='mmseg',
        )
        with pytest.raises(OutOfMemoryError) as raised, explain_run():
            getattr(runner, part)()
        return str(raised.value)

    said = run('loss', 'train')
    assert 'full' in said
    assert 'in training, with train_dataloader.batch_size=3: set it lower' in said
    for remedy in ('crop_size', '--amp', 'with_cp=True', '--resume'):
        assert remedy in said
    for part in ('val', 'test'):
        said = run('predict', part)
        assert f'with {part}_dataloader.batch_size=3: set it to 1' in said


def test_an_error_of_a_loaders_worker_loses_its_traceback():
    text = 'Caught DataError in DataLoader worker process 0.\nOriginal Traceback:\n'
    with pytest.raises(DataError, match=r'^the file: is bad$'), explain_run():
        raise DataError(f'{text}  File x\nsctnet.errors.DataError: the file: is bad\n')
