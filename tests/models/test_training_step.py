"""A training step with its short cuts against the readable one."""

import copy

import pytest
import torch
from mmengine.model import revert_sync_batchnorm
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from support import randomise

from sctnet.catalog import load_config
from sctnet.errors import ConfigError, DataError
from sctnet.models import Teacher, channel_wise_divergence, options, teacher
from sctnet.models.faster_training import head_losses, mix_transformer

READABLE = {'shortcuts': False}


@pytest.fixture
def taught(student):
    """The student as it was built, whatever the test before did with it."""
    student.train_cfg = None
    student.attach_teacher(student.teacher)
    return student


@pytest.fixture(scope='module')
def student():
    """A tiny student in training and its random teacher, in float64."""
    torch.manual_seed(0)
    cfg = copy.deepcopy(load_config('sctnet_t_1xb4_600_streets_128x256'))
    cfg.model.backbone.drop_path_rate = 0.0
    student = revert_sync_batchnorm(MODELS.build(cfg.model)).double().train()
    teacher = Teacher(MODELS.build(load_config('segformer-t-streets').model))
    student.attach_teacher(randomise(teacher).double())
    return student


def draw_batch(height, width):
    samples = []
    for _ in range(2):
        labels = torch.randint(0, 19, (1, height, width))
        labels[:, 5:9] = 255
        samples.append(SegDataSample(gt_sem_seg=PixelData(data=labels)))
    return torch.randn(2, 3, height, width, dtype=torch.float64), samples


def step(student, batch, train_cfg):
    student.train_cfg = train_cfg
    student.zero_grad()
    losses = student.loss(*batch)
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    gradients = {k: p.grad.clone() for k, p in student.named_parameters()}
    return {k: v.detach() for k, v in losses.items()}, gradients


def test_a_training_step_equals_the_readable_one(taught):
    batch = draw_batch(125, 187)
    losses, gradients = step(taught, batch, READABLE)
    for default in (None, {}):
        ours = step(taught, batch, default)
        assert list(ours[0]) == list(losses)
        for name, value in losses.items():
            # mmseg counts in float32.
            rtol = 1e-6 if 'acc' in name else 1e-9
            torch.testing.assert_close(
                ours[0][name].double(), value.double(), rtol=rtol, atol=0
            )
        assert ours[1].keys() == gradients.keys()
        largest = max(float(gradient.abs().max()) for gradient in gradients.values())
        for name, gradient in gradients.items():
            # Biases before a batch norm have no true gradient, rounding alone.
            atol = 1e-9 * float(gradient.abs().max()) + 1e-13 * largest
            torch.testing.assert_close(
                ours[1][name],
                gradient,
                rtol=1e-9,
                atol=atol,
                msg=lambda text, name=name: f'{name}: {text}',
            )


@pytest.mark.parametrize(
    ('module', 'name'),
    [
        (mix_transformer, 'run_backbone'),
        (teacher, 'decode_stages'),
        (channel_wise_divergence, 'summed_divergence'),
        (head_losses, 'upsampled_cross_entropy'),
    ],
)
def test_a_training_step_takes_every_short_cut_or_none(
    taught, monkeypatch, module, name
):
    def taken(*_):
        raise InterruptedError

    monkeypatch.setattr(module, name, taken)
    batch = draw_batch(64, 64)
    step(taught, batch, READABLE)
    with pytest.raises(InterruptedError):
        step(taught, batch, None)


def test_the_older_name_of_the_option_works_and_is_said_once(monkeypatch):
    said = []
    monkeypatch.setattr(options, 'print_log', lambda text, **_: said.append(text))
    cfg = copy.deepcopy(load_config('sctnet_t_1xb4_600_streets_128x256')).model
    cfg.train_cfg = {'fused': False, 'channels_last': True}
    cfg.test_cfg.fused = False
    model = MODELS.build(cfg)
    assert model.train_cfg == {**READABLE, 'channels_last': True}
    assert model.test_cfg == {'mode': 'whole', **READABLE}
    assert not model.shortcuts
    assert said == [
        f'model.{place}.fused is called model.{place}.shortcuts now'
        for place in ('train_cfg', 'test_cfg')
    ]
    cfg.train_cfg = {'fused': False, 'shortcuts': True}  # what is named anew counts
    assert MODELS.build(cfg).shortcuts


@pytest.mark.parametrize('train_cfg', [None, READABLE])
def test_a_label_outside_the_classes_names_its_file(taught, train_cfg):
    images, samples = draw_batch(64, 64)
    samples[1].gt_sem_seg.data[0, 3, 4] = 77
    taught.train_cfg = train_cfg
    with pytest.raises(DataError, match=r'label map has labels \[77\] outside the 19'):
        taught.loss(images, samples)
    samples[1].set_metainfo({'seg_map_path': 'some/mask.png'})
    with pytest.raises(DataError, match=r"'some/mask.png' has labels \[77\]"):
        taught.loss(images, samples)


@pytest.mark.parametrize('wrong', [{'shortcut': False}, {'fused': 'no'}])
def test_misspelt_options_of_training_are_an_error(wrong):
    cfg = copy.deepcopy(load_config('sctnet_t_1xb4_600_streets_128x256')).model
    cfg.train_cfg = wrong
    with pytest.raises(ConfigError, match='expected True or False for some of short'):
        MODELS.build(cfg)


def relative(ours, exact):
    return float((ours.double() - exact.double()).norm() / exact.double().norm())


def in_half(student, batch):
    with torch.autocast('cpu', torch.bfloat16):
        losses = student.loss(*batch)
        total = sum(value for name, value in losses.items() if 'loss' in name)
    student.zero_grad()
    total.float().backward()
    gradients = {k: p.grad.clone() for k, p in student.named_parameters()}
    return {k: v.detach() for k, v in losses.items()}, gradients


@pytest.fixture
def single(taught):
    """The same student and teacher in float32."""
    student = copy.deepcopy(taught).float()
    student.attach_teacher(copy.deepcopy(taught.teacher).float())
    return student


def test_autocast_rounds_no_more_than_the_readable_step(single):
    images, samples = draw_batch(125, 187)
    batch = images.float(), samples
    exact = step(single, batch, READABLE)
    errors = []
    for train_cfg in (None, READABLE):
        single.train_cfg = train_cfg
        losses, gradients = in_half(single, batch)
        found = {k: relative(v, exact[0][k]) for k, v in losses.items() if 'loss' in k}
        ours, theirs = (
            torch.cat([g.flatten() for g in some.values()])
            for some in (gradients, exact[1])
        )
        errors.append({**found, 'gradient': relative(ours, theirs)})
    for name, error in errors[0].items():
        assert error < max(0.01, 1.5 * errors[1][name]), name


@pytest.mark.slow
def test_a_student_trains_in_other_layouts_and_compiled(taught, monkeypatch):
    batch = draw_batch(64, 96)
    expected = step(taught, batch, None)
    layouts = []
    extract, compile = taught.extract_feat, torch.compile

    def watched(inputs):
        layouts.append(inputs.is_contiguous(memory_format=torch.channels_last))
        return extract(inputs)

    def traced(function):  # by Dynamo, without a C compiler's minutes
        return compile(function, backend='eager')

    monkeypatch.setattr(torch, 'compile', traced)
    monkeypatch.setattr(taught, 'extract_feat', watched)
    for train_cfg in ({'channels_last': True}, {'compile': True}):
        losses, gradients = step(taught, batch, train_cfg)
        for name, value in expected[0].items():
            torch.testing.assert_close(losses[name], value, rtol=1e-9, atol=0)
        for name, gradient in expected[1].items():
            atol = 1e-9 * float(gradient.abs().max()) + 1e-12
            torch.testing.assert_close(gradients[name], gradient, rtol=1e-9, atol=atol)
    assert layouts == [True, False]
    copy.deepcopy(taught)  # without what was compiled, which cannot be copied
