import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sctnet.engine.train_loop import ResumableTrainLoop, SeededSamples, seed_everything


class Drawing:
    """Draws from all three generators that augmentations use."""

    metainfo = {'classes': ('a',)}  # noqa: RUF012

    def __len__(self):
        return 3

    def __getitem__(self, index):
        import random

        return index, random.random(), np.random.rand(), float(torch.rand(()))

    def __getitems__(self, indices):
        raise AssertionError('batches must go one by one, each with its seed')


def test_number_alone_decides_what_is_drawn():
    first, other = SeededSamples(Drawing(), seed=1), SeededSamples(Drawing(), seed=2)
    assert first[2, 7] == first[2, 7]
    assert first[2, 7] != first[2, 8]
    assert first[2, 7] != other[2, 7]
    assert first[1, 7][1:] == first[2, 7][1:]


def test_it_stands_in_for_its_data_set():
    samples = SeededSamples(Drawing(), seed=1)
    assert len(samples) == 3
    assert samples.metainfo == {'classes': ('a',)}
    assert samples[1][0] == 1  # a plain index, for those who only look
    assert not hasattr(samples, '__getitems__')  # which torch would prefer
    copied = pickle.loads(pickle.dumps(samples))
    assert copied[2, 7] == samples[2, 7]


def test_data_seeds_leave_the_devices_alone(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch, 'manual_seed', seeded.append)
    SeededSamples(Drawing(), seed=1)[0, 0]
    assert not seeded
    seed_everything(1, 2)
    assert len(seeded) == 1


def test_seeds_of_data_and_model_do_not_meet():
    drawn = set()
    for stream in (0, 1):
        for number in range(50):
            seed_everything(5, stream, number)
            drawn.add((np.random.rand(), float(torch.rand(()))))
    assert len(drawn) == 100


@pytest.mark.parametrize('gpu', [False, True])
def test_memory_is_pinned_where_there_is_a_gpu_unless_told_otherwise(monkeypatch, gpu):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    runner = SimpleNamespace(
        _randomness_cfg={}, seed=0, build_dataloader=lambda config, seed: config
    )
    for told, expected in (({}, gpu), ({'pin_memory': not gpu}, not gpu)):
        loop = ResumableTrainLoop.__new__(ResumableTrainLoop)
        loop._config = {'sampler': {}, 'dataset': {}, 'batch_size': 1, **told}
        assert loop._build_dataloader(runner, 0)['pin_memory'] == expected
