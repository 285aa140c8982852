import numpy as np
import pytest
import torch
from support import GOLDEN, assert_close_to_golden

from sctnet.errors import ConfigError
from sctnet.models import SIAM, ChannelWiseDivergence
from sctnet.models.teacher_features import Decoded, MergedFeatures, scale_align

TIGHT = {'rtol': 1e-9, 'atol': 1e-12}
STAGE = {
    'student_index': 0,
    'student_channels': 3,
    'teacher_index': 1,
    'teacher_channels': 5,
}
SDHA = {'student_index': 1, 'student_channels': 4, 'merged_channels': 6}
WEIGHTS = {'bfa_deep': 15.0, 'sdha_feature': 15.0, 'sdha_logits': 3.0}


def draw(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


@pytest.fixture(scope='module')
def golden():
    with np.load(GOLDEN / 'modules.npz') as data:
        return {key: data[key] for key in data.files}


@pytest.mark.parity
def test_divergence_and_its_gradient_equal_the_originals(golden):
    shape = (2, 24, 7, 10)
    teacher, student = draw(110, *shape) * 5, draw(111, *shape) * 5
    student.requires_grad_(True)
    loss = ChannelWiseDivergence(temperature=4.0)(student, teacher)
    assert_close_to_golden(loss, golden['cwd'].reshape(-1), **TIGHT)
    loss.backward()
    assert_close_to_golden(student.grad, golden['cwd.grad_student'], **TIGHT)


@pytest.mark.parity
def test_scale_alignment_equals_the_originals(golden):
    shape = (2, 24, 7, 10)
    aligned = scale_align(draw(108, *shape), draw(109, *shape) * 3 + 1.5)
    assert_close_to_golden(aligned, golden['align_scale'], **TIGHT)


@pytest.mark.parity
def test_weighted_sum_over_maps_of_unequal_sizes_equals_the_originals(golden):
    teacher = [(2, 19, 16, 24), (2, 24, 16, 24), (2, 32, 4, 6), (2, 20, 5, 7)]
    student = [(2, 19, 16, 24), (2, 24, 8, 12), (2, 32, 4, 6), (2, 20, 5, 6)]
    divergence = ChannelWiseDivergence(temperature=4.0)
    total = sum(
        weight
        * divergence(draw(130 + i, *student[i]) * 4, draw(120 + i, *teacher[i]) * 4)
        for i, weight in enumerate((3, 15, 15, 15))
    )
    assert_close_to_golden(total, golden['alignment'].reshape(-1), **TIGHT)


def test_divergence_is_zero_for_equal_maps_and_positive_otherwise():
    divergence = ChannelWiseDivergence()
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    assert divergence(x, x).abs() < 1e-12
    assert divergence(x, x + 3).abs() < 1e-12  # where it looks, not how much
    assert divergence(x, x.flip(3)) > 1e-3


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_is_compared_in_float32(dtype):
    student, teacher = (torch.randn(1, 2, 9, 9).to(dtype) for _ in range(2))
    loss = ChannelWiseDivergence()(student, teacher)
    assert loss.dtype == torch.float32
    exact = ChannelWiseDivergence()(student.double(), teacher.double())
    torch.testing.assert_close(loss.double(), exact, rtol=1e-5, atol=0)
    assert scale_align(student * 300, teacher).isfinite().all()


def features():
    student = (torch.randn(2, 3, 4, 4), torch.randn(2, 4, 8, 8))
    decoded = Decoded(torch.randn(2, 2, 8, 8), torch.randn(2, 7, 8, 8))
    stages = (torch.randn(2, 1, 16, 16), torch.randn(2, 5, 4, 4))
    return student, MergedFeatures(stages, decoded, torch.randn(2, 6, 8, 8), decode)


def decode(merged):
    return Decoded(merged[:, :2], merged[:, :1].expand(-1, 7, -1, -1))


@pytest.mark.parametrize(
    ('bfa', 'sdha', 'terms'),
    [
        ({'deep': STAGE}, SDHA, list(WEIGHTS)),
        ({'deep': STAGE}, None, ['bfa_deep']),
        (None, SDHA, ['sdha_feature', 'sdha_logits']),
        (None, None, []),
    ],
)
def test_terms_are_named_and_can_be_left_out(bfa, sdha, terms):
    siam = SIAM(bfa, sdha, WEIGHTS)
    losses = siam(*features())
    assert list(losses) == [f'loss_{term}' for term in terms]
    total = sum(losses.values())
    if terms:
        total.backward()
    assert all(p.grad is not None for p in siam.parameters())
    assert bool(list(siam.parameters())) == bool(terms)


def test_weights_multiply_and_zero_keeps_the_term_in_the_graph():
    siam = SIAM({'deep': STAGE}, SDHA, WEIGHTS)
    batch = features()
    ones = dict.fromkeys(WEIGHTS, 1.0) | {'bfa_deep': 0.0}
    weighted = siam(*batch)
    siam.loss_weights = ones
    plain = siam(*batch)
    for term in ('sdha_feature', 'sdha_logits'):
        torch.testing.assert_close(
            weighted[f'loss_{term}'], WEIGHTS[term] * plain[f'loss_{term}']
        )
    assert plain['loss_bfa_deep'] == 0
    plain['loss_bfa_deep'].backward()
    assert siam.bfa.projections['deep'].weight.grad is not None


def test_what_does_not_fit_together_is_an_error():
    with pytest.raises(ConfigError, match=r"no weight for \['sdha_logits'\]"):
        SIAM(None, SDHA, {'sdha_feature': 1.0})
    with pytest.raises(ConfigError, match=r"schedule names \['bfa_stage9'\]"):
        SIAM({'deep': STAGE}, SDHA, WEIGHTS, schedule={'bfa_stage9': 'linear'})
    with pytest.raises(ConfigError, match=r"loss_weights names \['sdha_logit'\]"):
        SIAM(None, SDHA, {**WEIGHTS, 'sdha_logit': 1.0})
    with pytest.raises(ConfigError, match=r"schedule has no \['stop'\]"):
        SIAM(None, SDHA, WEIGHTS, schedule={'kind': 'linear', 'stop': 3})
    # What belongs to an alignment that is left out may stay.
    SIAM(None, SDHA, WEIGHTS, schedule={'bfa_deep': 'linear'})


def test_teacher_with_other_stages_or_another_width_is_an_error():
    from mmseg.registry import MODELS

    from sctnet.catalog import load_config
    from sctnet.models import Teacher

    teacher = Teacher(MODELS.build(load_config('segformer-t-streets').model))
    assert teacher.stage_channels() == [32, 64, 160, 256]
    stage = {**STAGE, 'teacher_index': 2, 'teacher_channels': 160}
    sdha = {**SDHA, 'merged_channels': 256}
    SIAM({'deep': stage}, sdha, WEIGHTS).check_teacher(teacher)
    for wrong in ({'teacher_channels': 320}, {'teacher_index': 4}):
        with pytest.raises(ConfigError, match=r'\[32, 64, 160, 256\] channels and'):
            SIAM({'deep': stage | wrong}, None, WEIGHTS).check_teacher(teacher)
    with pytest.raises(ConfigError, match=r'SegformerHead takes 256 channels'):
        SIAM(None, SDHA, WEIGHTS).check_teacher(teacher)
