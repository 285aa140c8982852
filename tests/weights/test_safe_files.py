import errno
import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.runner import load_checkpoint
from support import Exploit

from sctnet.errors import CheckpointError, OutOfMemoryError, OutputError
from sctnet.weights.safe_files import (
    dataset_meta_of,
    read_checkpoint,
    weights_of,
    write_checkpoint,
)

WEIGHTS = {'layer.weight': torch.arange(6.0).reshape(2, 3), 'n': torch.tensor(3)}
META = {'dataset_meta': {'classes': ['a', 'b'], 'palette': [[0, 0, 0], [9, 9, 9]]}}


class Shell:
    """Runs a command when it is unpickled: its module is on torch's block list."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f'touch {self.target}',)


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_round_trip(tmp_path, suffix):
    path = tmp_path / f'student{suffix}'
    write_checkpoint(path, WEIGHTS, META)
    loaded = read_checkpoint(path)
    assert loaded['meta'] == META
    assert loaded['state_dict'].keys() == WEIGHTS.keys()
    for key, value in WEIGHTS.items():
        torch.testing.assert_close(loaded['state_dict'][key], value, rtol=0, atol=0)
    assert dataset_meta_of(loaded)['classes'] == ('a', 'b')


def test_exploit_is_refused_names_the_file_and_runs_nothing(tmp_path):
    target, path = tmp_path / 'created', tmp_path / 'exploit.pth'
    torch.save({'state_dict': WEIGHTS, 'meta': Exploit(target)}, path)
    with pytest.raises(CheckpointError, match=r'exploit\.pth.* carries code'):
        read_checkpoint(path)
    assert not target.exists()
    with pytest.raises(CheckpointError, match=r'exploit\.pth'):
        load_checkpoint(torch.nn.Linear(1, 1), str(path))
    assert not target.exists()
    # The payload is real: without the guard it does create the file.
    torch.load(path, weights_only=False)
    assert target.exists()


@pytest.mark.parametrize('payload', [Exploit, Shell])
@pytest.mark.parametrize('form', ['zip', 'legacy', 'bare'])
def test_every_form_of_exploit_is_called_what_it_is(tmp_path, payload, form):
    target, path = tmp_path / 'created', tmp_path / 'exploit.pth'
    content = {'state_dict': WEIGHTS, 'meta': payload(target)}
    if form == 'bare':
        path.write_bytes(pickle.dumps(payload(target), protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == 'zip')
    with pytest.raises(CheckpointError, match=r'exploit\.pth.* carries code'):
        read_checkpoint(path)
    assert not target.exists()


def test_pickles_of_protocols_that_torch_does_not_read_run_nothing(tmp_path):
    target, path = tmp_path / 'created', tmp_path / 'exploit.pth'
    path.write_bytes(pickle.dumps(Exploit(target), protocol=4))
    with pytest.raises(CheckpointError, match=r'exploit\.pth'):
        read_checkpoint(path)
    assert not target.exists()


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere\.pth' does not exist"):
        read_checkpoint(tmp_path / 'nowhere.pth')
    with pytest.raises(CheckpointError, match='is a folder'):
        read_checkpoint(tmp_path)


def test_a_config_in_the_place_of_weights_is_named(tmp_path):
    (tmp_path / 'rooms.py').write_text('x = 1')
    with pytest.raises(CheckpointError, match=r"rooms\.py' is a config"):
        read_checkpoint(tmp_path / 'rooms.py')


# The larger one is longer than what torch looks back for.
@pytest.mark.parametrize('weights', [WEIGHTS, {'weight': torch.zeros(40960)}])
@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
@pytest.mark.parametrize('keep', [0.0, 0.03, 0.1, 0.5, 0.95])
def test_truncated_file(tmp_path, weights, suffix, keep):
    path = tmp_path / f'cut{suffix}'
    write_checkpoint(path, weights, META)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(CheckpointError, match=r'cut\..* is truncated or not a check'):
        read_checkpoint(path)


@pytest.mark.parametrize('content', [b'hello', b'\x89PNG\r\n', bytes(1000)])
def test_file_that_is_no_checkpoint(tmp_path, content):
    path = tmp_path / 'text.pth'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match='not a checkpoint'):
        read_checkpoint(path)


def test_pickle_that_is_no_dict(tmp_path):
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(CheckpointError, match='expected a dict of weights, found list'):
        read_checkpoint(tmp_path / 'list.pth')
    with pytest.raises(CheckpointError, match='holds no weights'):
        weights_of({'state_dict': {'epoch': 3}})


def test_meta_of_mmcv_1():
    meta = {'CLASSES': ('a', 'b'), 'PALETTE': [[1, 2, 3], [4, 5, 6]]}
    assert dataset_meta_of({'meta': meta}) == {
        'classes': ('a', 'b'),
        'palette': [[1, 2, 3], [4, 5, 6]],
    }
    assert dataset_meta_of({'meta': None}) is None
    assert dataset_meta_of({'meta': {'dataset_meta': 'x'}}) is None
    array = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    meta = {'dataset_meta': {'classes': ['a', 'b'], 'palette': array}}
    assert dataset_meta_of({'meta': meta})['palette'] == [[1, 2, 3], [4, 5, 6]]


def test_other_endings_and_unwritable_places_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r'\.safetensors'):
        write_checkpoint(tmp_path / 'a.ckpt', WEIGHTS, META)
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match='cannot write'):
        write_checkpoint(tmp_path / 'file' / 'a.pth', WEIGHTS, META)


@pytest.mark.parametrize(
    'palette', [['red'], 'x', 3, [[1]], [[1, 2, 256]], [[1, 2, float('nan')]], []]
)
def test_colours_that_are_none_count_as_none(palette):
    meta = {'dataset_meta': {'classes': ['a'], 'palette': palette}}
    assert dataset_meta_of({'meta': meta}) == {'classes': ('a',), 'palette': None}


def test_only_named_tensors_with_values_are_weights():
    odd = {b'x': torch.ones(1), 3: torch.ones(1), 'a': None, 'b': torch.ones(1)}
    assert weights_of({'state_dict': odd}).keys() == {'b'}
    for tensor in (torch.eye(2).to_sparse(), torch.empty(2, device='meta')):
        with pytest.raises(CheckpointError, match="weight 'w' is sparse, or a shape"):
            weights_of({'w': tensor})


def test_an_exported_network_is_called_by_its_name(tmp_path):
    file = tmp_path / 'net.onnx'
    file.write_bytes(b'any')
    with pytest.raises(CheckpointError, match=r'is an exported network.*the weights'):
        read_checkpoint(file)


@pytest.mark.parametrize(
    ('error', 'suffix'),
    [
        (MemoryError(), '.pth'),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), '.safetensors'),
        (torch.cuda.OutOfMemoryError('CUDA out of memory.'), '.pth'),
        (OSError(errno.ENOMEM, 'Cannot allocate memory'), '.pth'),
    ],
)
def test_too_little_memory_is_not_called_damage(tmp_path, monkeypatch, error, suffix):
    path = tmp_path / f'sound{suffix}'
    write_checkpoint(path, {'a': torch.ones(3)}, {})

    def fail(*_, **__):
        raise error

    monkeypatch.setattr('sctnet.weights.safe_files.torch.load', fail)
    monkeypatch.setattr('sctnet.weights.safe_files.safe_open', fail)
    with pytest.raises(OutOfMemoryError, match=rf"memory is full, and '{path}' \(0 Mi"):
        read_checkpoint(path)


def test_a_damaged_file_that_asks_for_more_than_it_holds_is_damaged(
    tmp_path, monkeypatch
):
    path = tmp_path / 'damaged.pth'
    write_checkpoint(path, {'a': torch.ones(3)}, {})

    def fail(*_, **__):
        raise RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate "
            '4398046511104 bytes. Error code 12 (Cannot allocate memory)'
        )

    monkeypatch.setattr('sctnet.weights.safe_files.torch.load', fail)
    with pytest.raises(CheckpointError, match='truncated or'):
        read_checkpoint(path)
