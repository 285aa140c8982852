import pytest
import torch
from mmseg.registry import PARAM_SCHEDULERS

from sctnet.errors import ConfigError


def build(lrs=(1e-3, 1e-2), **kwargs):
    groups = [{'params': [torch.zeros(1, requires_grad=True)], 'lr': lr} for lr in lrs]
    optimizer = torch.optim.SGD(groups)
    optimizer.step()
    config = {'type': 'WarmupPolyLR', 'optimizer': optimizer, **kwargs}
    return optimizer, PARAM_SCHEDULERS.build(config)


def rates(optimizer, scheduler, iterations):
    found = []
    for _ in range(iterations):
        found.append([group['lr'] for group in optimizer.param_groups])
        scheduler.step()
    return found


def test_floor_is_the_same_for_every_group_and_warm_up_multiplies_it():
    optimizer, scheduler = build(
        max_iters=10, warmup_iters=4, warmup_factor=0.1, eta_min=1e-4
    )
    found = rates(optimizer, scheduler, 12)
    assert found[0] == pytest.approx([1e-4, 1e-3])
    assert found[2] == pytest.approx([0.55 * 8.2e-4, 0.55 * 8.02e-3])
    assert found[5] == pytest.approx([5.5e-4, 5.05e-3])
    assert found[10] == found[11] == pytest.approx([1e-4, 1e-4])


def test_end_that_the_runner_adds_does_not_stop_it():
    """Without by_epoch=False in the config the Runner adds an end of one epoch."""
    optimizer, scheduler = build(max_iters=10, warmup_iters=4, end=1)
    assert not scheduler.by_epoch
    found = rates(optimizer, scheduler, 10)
    assert len({rate for rate, _ in found}) == 10


def test_it_is_as_long_as_the_training_where_nothing_else_is_said():
    """mmengine's Runner gives the length as an end, once by_epoch is False."""
    optimizer, scheduler = build(by_epoch=False, end=10, warmup_iters=0)
    expected = [1e-3 * (1 - i / 10) for i in range(12)]
    expected[11] = 0
    found = rates(optimizer, scheduler, 12)
    assert [rate for rate, _ in found] == pytest.approx(expected, abs=1e-18)
    with pytest.raises(ConfigError, match='has no length: give param_scheduler by_ep'):
        build(end=1)  # epochs, for what mmengine knows


def test_it_begins_where_it_is_told_to():
    options = {'warmup_iters': 4, 'warmup_factor': 0.1, 'eta_min': 1e-4}
    whole = rates(*build(max_iters=10, **options), 10)
    later = rates(*build(max_iters=13, begin=3, **options), 13)
    assert later[:3] == [[1e-3, 1e-2]] * 3
    assert later[3:] == whole


def test_one_that_has_not_begun_leaves_the_rates_to_another():
    optimizer, first = build(max_iters=100, warmup_iters=0)
    config = {'type': 'WarmupPolyLR', 'begin': 60, 'max_iters': 100}
    second = PARAM_SCHEDULERS.build({**config, 'optimizer': optimizer})
    for scheduler in (first, second):
        scheduler.load_state_dict({'_global_step': 50})
    assert [g['lr'] for g in optimizer.param_groups] == pytest.approx([5e-4, 5e-3])
