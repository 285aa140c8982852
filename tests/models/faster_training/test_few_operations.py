"""Weights that are cast, batches that are counted and teachers made ready at once."""

import contextlib
import copy

import pytest
import torch
from mmcv.cnn.bricks import DropPath
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from support import randomise
from torch import nn

from sctnet.catalog import load_config
from sctnet.errors import ConfigError
from sctnet.models import CFBlock, Teacher
from sctnet.models.faster_training import few_operations, prepared_teacher
from sctnet.models.faster_training.cast_weights import weights_cast_at_once
from sctnet.models.faster_training.cross_entropy import MOST_BLOCKS, _blocks

BF16 = ('cpu', torch.bfloat16)


@pytest.fixture(scope='module')
def student():
    torch.manual_seed(0)
    cfg = copy.deepcopy(load_config('sctnet-t-streets'))
    student = MODELS.build(cfg.model).train()
    teacher = MODELS.build(load_config('segformer-t-streets').model)
    student.attach_teacher(randomise(Teacher(teacher)))
    return student


def step(student, teacher):
    """Losses, gradients and buffers of a step in bfloat16, from the same draws."""
    student = copy.deepcopy(student)
    student.attach_teacher(teacher)
    torch.manual_seed(1)
    labels = torch.randint(0, 19, (2, 1, 64, 96))
    samples = [SegDataSample(gt_sem_seg=PixelData(data=one)) for one in labels]
    with torch.autocast(*BF16):
        losses = student.loss(torch.randn(2, 3, 64, 96), samples)
    total, _ = student.parse_losses(losses)
    total.backward()
    gradients = {k: p.grad for k, p in student.named_parameters()}
    return losses, gradients, dict(student.named_buffers())


def test_a_step_is_what_autocast_and_the_norms_make_of_it_alone(student, monkeypatch):
    ours = step(student, student.teacher)
    for name in ('weights_cast_at_once', 'batches_counted_at_once'):
        monkeypatch.setattr(
            few_operations, name, lambda parts: contextlib.nullcontext()
        )
    theirs = step(student, student.teacher)
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for key, value in other.items():
            # Keys are values too, and their two gradients are added in half precision.
            rtol = 2**-7 if key.endswith(('vertical', 'horizontal')) else 0
            error = (one[key] - value).double().norm()
            assert error <= rtol * value.double().norm(), key
    counters = [v for k, v in ours[2].items() if k.endswith('num_batches_tracked')]
    assert {int(counter) for counter in counters} == {1}


def test_layers_have_cast_weights_inside_and_their_own_outside():
    shared = nn.Conv2d(3, 3, 1)
    other = nn.Conv2d(3, 3, 1, bias=False)
    other.weight = shared.weight
    double = nn.Linear(2, 2).double()
    part = nn.Sequential(shared, other, nn.BatchNorm2d(3), double)
    own = dict(part.named_parameters())
    with weights_cast_at_once([part]):
        assert shared.weight is own['0.weight']  # no autocast
    with (
        torch.autocast(*BF16),
        contextlib.suppress(InterruptedError),
        weights_cast_at_once([part]),
    ):
        assert shared.weight.dtype == shared.bias.dtype == torch.bfloat16
        assert other.weight is shared.weight
        assert double.weight.dtype == torch.float64
        assert part[2].weight.dtype == torch.float32
        shared(torch.randn(1, 3, 4, 4)).sum().backward()
        raise InterruptedError
    assert dict(part.named_parameters()).keys() == own.keys()
    assert all(p is own[name] for name, p in part.named_parameters())
    assert shared.weight.grad.dtype == torch.float32
    assert double.weight.grad is None


def test_a_norm_that_does_not_train_or_averages_plainly_counts_itself(student):
    student = copy.deepcopy(student)
    frozen, plain = student.backbone.stem[1], student.backbone.stem[4]
    frozen.eval()
    plain.momentum = None
    student.siam = None
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    sample = SegDataSample(gt_sem_seg=PixelData(data=labels))
    for _ in range(2):
        student.loss(torch.randn(2, 3, 64, 64), [sample, sample])
    assert int(frozen.num_batches_tracked) == 0
    assert int(plain.num_batches_tracked) == 2
    assert int(student.decode_head.norm1.num_batches_tracked) == 2


def same(ours, theirs):
    pairs = [*zip(ours.stages, theirs.stages, strict=True)]
    pairs += zip(ours.decoded, theirs.decoded, strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_teacher_cast_once_is_the_one_that_autocast_casts(student, monkeypatch):
    teacher, image = student.teacher, torch.randn(2, 3, 64, 96)
    with torch.autocast(*BF16):
        ours = teacher(image)
        layers = teacher._preparations._made[torch.bfloat16].backbone.modules()
        assert {m.weight.dtype for m in layers if isinstance(m, nn.Conv2d)} == {
            torch.bfloat16
        }
        monkeypatch.setattr(prepared_teacher, '_cast', lambda part, dtype: part)
        assert same(ours, copy.deepcopy(teacher)(image))
    assert all(p.dtype == torch.float32 for p in teacher.parameters())


@pytest.mark.parametrize('half', [False, True])
def test_a_teacher_is_made_ready_once_and_anew_for_other_weights(
    student, monkeypatch, half
):
    teacher, image = copy.deepcopy(student.teacher), torch.randn(1, 3, 64, 64)
    prepare, made = prepared_teacher._prepare, []
    monkeypatch.setattr(
        prepared_teacher,
        '_prepare',
        lambda *args: made.append(args[1]) or prepare(*args),
    )
    with torch.autocast(*BF16, enabled=half):
        before = teacher(image)
        assert same(teacher(image), before)
        assert len(made) == 1
        for weight in teacher.parameters():
            weight.mul_(1.1)
        after = teacher(image)
        assert not same(after, before)
        assert same(copy.deepcopy(teacher)(image), after)
        teacher.segmentor.decode_head.fusion_conv.norm.running_var.mul_(2)
        assert not torch.equal(teacher(image).decoded.logits, after.decoded.logits)
        teacher.double()
    assert teacher(image.double()).decoded.logits.dtype == torch.float64


def test_a_graph_of_the_teacher_needs_a_gpu(student):
    teacher = Teacher(student.teacher.segmentor, graph=True)
    with pytest.raises(ConfigError, match="needs a GPU but the device is 'cpu'"):
        teacher(torch.randn(1, 3, 64, 64))


@pytest.mark.parametrize('rate', [0.0, 0.3])
def test_paths_are_dropped_draw_for_draw_as_mmcv_drops_them(rate):
    block = CFBlock(8, {'type': 'BN'}, num_heads=2, num_keys=4, drop_path_rate=rate)
    block, drop = block.double().train(), DropPath(rate).train()
    x = torch.randn(16, 8, 4, 4).double()
    torch.manual_seed(2)
    ours = block(x)
    torch.manual_seed(2)
    y = x + drop(block.attention(x))
    torch.testing.assert_close(ours, y + drop(block.ffn(y)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('on_cpu', [True, False])
@pytest.mark.parametrize(
    ('images', 'height', 'row'),
    [(8, 512, 150 * 512), (8, 1024, 19 * 1024), (3, 7, 10), (1, 3000, 200 * 4000)],
)
def test_blocks_cover_each_row_once_and_are_few_on_a_gpu(on_cpu, images, height, row):
    blocks = list(_blocks(on_cpu, images, height, row))
    seen = torch.zeros(images, height, dtype=torch.int)
    for some, lines in blocks:
        seen[some, lines] += 1
    assert (seen == 1).all()
    # Blocks of whole images or of rows of one: some are not full.
    assert on_cpu or len(blocks) <= 2 * MOST_BLOCKS


def test_parts_that_are_computed_again_see_the_same_weights(student):
    """Activation checkpoints run the layers once more, when the cast ones are gone."""
    losses, gradients, buffers = step(student, student.teacher)
    saving = copy.deepcopy(student)
    saving.backbone.with_cp = True
    ours = step(saving, student.teacher)
    for name, value in losses.items():
        assert torch.equal(ours[0][name], value), name
    for name, value in gradients.items():
        assert torch.equal(ours[1][name], value), name
    for name, value in buffers.items():
        assert torch.equal(ours[2][name], value), name


def test_a_teacher_in_half_precision_teaches_a_student_that_is_not(student):
    teacher = Teacher(copy.deepcopy(student.teacher.segmentor), dtype='bf16')
    ours = copy.deepcopy(student)
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    batch = (
        torch.randn(2, 3, 64, 64),
        [SegDataSample(gt_sem_seg=PixelData(data=labels)) for _ in range(2)],
    )
    values = []
    for one in (student.teacher, teacher):
        ours.attach_teacher(one)
        torch.manual_seed(3)
        values.append(ours.loss(*batch)['siam.loss_sdha_logits'])
    exact, half = values
    assert half.dtype == torch.float32
    assert 0 < abs(float(half / exact) - 1) < 0.05
    half.backward()


@pytest.mark.parametrize('with_cp', [False, True])
def test_frozen_parts_want_no_gradients_under_autocast(with_cp):
    torch.manual_seed(0)
    cfg = copy.deepcopy(load_config('sctnet-t-streets').model)
    cfg.siam = None
    cfg.backbone.update(frozen_stages=2, with_cp=with_cp)
    student, wanted = MODELS.build(cfg).train(), []
    for part in (student.backbone.stage2, student.backbone.stage3):
        part.register_forward_hook(lambda *args: wanted.append(args[2].requires_grad))
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    samples = [SegDataSample(gt_sem_seg=PixelData(data=labels)) for _ in range(2)]
    with torch.autocast(*BF16):
        losses = student.loss(torch.randn(2, 3, 64, 64), samples)
    assert wanted == [False, True]
    student.parse_losses(losses)[0].backward()
    assert student.backbone.stage2[0].conv1.weight.grad is None
    assert student.backbone.stage3[0].conv1.weight.grad.abs().max() > 0
