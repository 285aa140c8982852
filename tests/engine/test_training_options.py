"""What a user of mmengine switches on by config alone, around a distillation."""

import math

import pytest
import torch
from small_training import (
    TERMS,
    siam_losses,
    small_config,
    train,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def config(streets, teacher_file, tmp_path):
    """Builder of the small distillation with other options."""

    def build(options=None, iterations=3):
        return small_config(
            streets, tmp_path, teacher_file, options, iterations=iterations
        )

    return build


class Divergences:
    """Every pair of maps that SIAM compared in training, and what came out."""

    def __init__(self, runner):
        self.calls = []
        runner.model.siam.divergence.register_forward_hook(self._see)

    def _see(self, module, maps, value):
        kind = maps[0].device.type
        with torch.autocast(kind, enabled=False), torch.no_grad():
            exact = module.forward(*(x.detach().double() for x in maps[:2]))
        self.calls.append((maps, value.detach(), float(exact)))


def autocasts(x):
    return torch.is_autocast_enabled(x.device.type)


def test_bfloat16_runs_the_forward_and_leaves_divergences_in_float32(config):
    seen = []

    def watch(runner):
        seen.append(Divergences(runner))
        runner.model.backbone.register_forward_hook(
            lambda module, _, features: (
                seen.append((autocasts(features[1]), features[1].dtype))
                if module.training
                else None
            )
        )

    cfg = config({'optim_wrapper.type': 'BFloat16OptimWrapper'})
    record = train(cfg, watch)
    divergences, *forwards = seen
    assert forwards == [(True, torch.bfloat16)] * 3
    assert len(divergences.calls) == 3 * len(TERMS)
    for maps, value, exact in divergences.calls:
        assert torch.bfloat16 in {x.dtype for x in maps[:2]}
        assert value.dtype == torch.float32
        # A softmax in bfloat16 would be off by 1e-2 and more.
        assert float(value) == pytest.approx(exact, rel=1e-3, abs=1e-6)
    for tensors in (*record.weights, *record.gradients):
        assert {x.dtype for x in tensors.values()} == {torch.float32}


def test_accumulated_gradients_move_the_weights_every_second_iteration(config):
    record = train(config({'optim_wrapper.accumulative_counts': 2}, iterations=5))
    # The fifth has no sixth to wait for.
    assert record.moved == [False, True, False, True, True]
    assert len(record.gradients) == 3


def test_averaged_weights_are_saved_without_the_teacher(config, tmp_path):
    cfg = config()
    cfg.custom_hooks.append({'type': 'EMAHook', 'momentum': 0.5})
    attached = []
    record = train(
        cfg,
        lambda runner: runner.model.backbone.register_forward_hook(
            lambda *_: attached.append(runner.model.teacher is not None)
        ),
    )
    assert all(attached[:3])
    saved = torch.load(tmp_path / 'iter_3.pth', weights_only=True)
    averaged, last = saved['state_dict'], saved['ema_state_dict']  # mmengine swaps them
    assert set(last) == {'steps', *(f'module.{k}' for k in averaged)}
    assert set(averaged) == set(record.runner.model.state_dict())
    assert not [key for key in (*averaged, *last) if 'teacher' in key]
    first, second, third = record.weights[1:]
    for name, weight in third.items():
        assert torch.equal(last[f'module.{name}'], weight), name
        expected = 0.25 * first[name] + 0.25 * second[name] + 0.5 * weight
        torch.testing.assert_close(averaged[name], expected, rtol=1e-5, atol=1e-7)


def test_tensorboard_receives_every_loss(config, tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    cfg = config()
    cfg.visualizer.vis_backends.append({'type': 'TensorboardVisBackend'})
    record = train(cfg)
    (path,) = tmp_path.rglob('events.out.tfevents.*')
    written = {
        value.tag for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    }  # fmt: skip
    assert {*record.losses[0], 'lr', 'mIoU'} <= written


def each(*factors):
    return dict.fromkeys(TERMS, factors)


COSINE = [0.5 * (1 + math.cos(math.pi * i / 4)) for i in range(4)]


@pytest.mark.parametrize(
    ('schedule', 'expected'),
    [
        ('cosine', each(*COSINE)),
        (
            {
                'bfa_stage4': 'linear',
                'sdha_logits': {'kind': 'cosine', 'begin': 1, 'end': 3},
            },
            {
                **each(1, 1, 1, 1),
                'bfa_stage4': [1, 0.75, 0.5, 0.25],
                'sdha_logits': [1, 1, 0.5, 0],
            },
        ),
    ],
    ids=['cosine', 'by term'],
)
def test_scheduled_weights_fall_in_the_log(config, schedule, expected):
    divergences = []
    record = train(
        config({'model.siam.schedule': schedule}, iterations=4),
        lambda runner: divergences.append(Divergences(runner)),
    )
    values = [exact for _, _, exact in divergences[0].calls]
    weights = dict(zip(TERMS, (15, 15, 15, 3), strict=True))
    for place, term in enumerate(TERMS):
        scalars = record.runner.message_hub.get_scalar(f'train/siam.loss_{term}')
        unscheduled = [weights[term] * value for value in values[place :: len(TERMS)]]
        assert len(scalars.data[0]) == 4
        assert min(unscheduled) > 0
        for logged, whole, factor in zip(
            scalars.data[0], unscheduled, expected[term], strict=True
        ):
            assert logged == pytest.approx(factor * whole, rel=1e-3, abs=1e-9), term


@pytest.mark.parametrize(
    ('removed', 'terms'),
    [
        (['siam.bfa'], TERMS[2:]),
        (['siam.sdha'], TERMS[:2]),
        (['siam'], []),
    ],
    ids=['no BFA', 'no SDHA', 'no SIAM'],
)
def test_alignments_are_left_out_by_config_alone(
    removed, terms, streets, teacher_file, tmp_path
):
    """Without any, the hook may stay and no file of a teacher is needed."""
    cfg = small_config(
        streets,
        tmp_path,
        teacher_file if terms else None,
        {f'model.{part}': None for part in removed},
    )
    record = train(cfg)
    ours = {'decode.loss_ce', 'aux.loss_ce', 'loss'}
    assert set(record.losses[0]) == ours | {f'siam.loss_{term}' for term in terms}
    for losses in siam_losses(record):
        assert sorted(losses) == sorted(terms)
        assert all(value > 0 for value in losses.values())
