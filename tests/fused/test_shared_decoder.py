import copy

import pytest
import torch
from mmseg.models.decode_heads import SegformerHead
from mmseg.registry import MODELS
from support import randomise
from torch import nn
from torch.nn import functional as F

from sctnet.catalog import load_config
from sctnet.models import Teacher
from sctnet.models.sdha import EPS, SharedDecoderHeadAlignment, scale_align
from sctnet.models.shortcuts import shared_decoder
from sctnet.models.shortcuts.shared_decoder import decode_student, decode_teacher

TIGHT = {'rtol': 1e-9, 'atol': 1e-11}
CHANNELS = (4, 6, 10, 16)
STRIDES = (1, 2, 4, 8)
HEAD = {
    'in_channels': CHANNELS, 'in_index': [0, 1, 2, 3], 'channels': 12, 'num_classes': 7,
    'norm_cfg': {'type': 'BN'}, 'align_corners': False,
}  # fmt: skip


def build_head(kind=SegformerHead, **options):
    head = randomise(kind(**{**HEAD, **options}))
    nn.init.normal_(head.conv_seg.weight)
    return head.double().eval().requires_grad_(False)


def draw_stages(height, width, images=2, channels=CHANNELS):
    return tuple(
        torch.randn(images, c, -(-height // s), -(-width // s), dtype=torch.float64)
        for c, s in zip(channels, STRIDES, strict=True)
    )


def merge(head, stages):
    """What the head gives to its fusion convolution."""
    merged = []
    hook = head.fusion_conv.register_forward_pre_hook(
        lambda _, inputs: merged.append(inputs[0])
    )
    logits = head(stages)
    hook.remove()
    return merged[0], logits


def decode(head, merged):
    features = head.fusion_conv(merged)
    return features, head.cls_seg(features)


def project(x, projection, size):
    x = projection(x)
    if x.shape[2:] == size:
        return x
    return F.interpolate(x, size, mode='bilinear', align_corners=False)


SIZES = [(16, 24), (13, 19), (32, 47), (8, 8)]


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('images', [1, 2])
def test_a_teacher_is_decoded_as_its_head_does(size, images):
    head, stages = build_head(), draw_stages(*size, images)
    merged, logits = merge(head, stages)
    decoder, features, ours = decode_teacher(head, stages)
    std, mean = torch.std_mean(merged, dim=(0, 2, 3))
    torch.testing.assert_close(decoder.std, std, **TIGHT)
    torch.testing.assert_close(decoder.mean, mean, **TIGHT)
    assert tuple(decoder.size) == size
    torch.testing.assert_close(features, decode(head, merged)[0], **TIGHT)
    torch.testing.assert_close(ours, logits, **TIGHT)
    assert features.is_contiguous()
    assert ours.is_contiguous()


def test_a_teacher_may_have_maps_in_any_layout_and_selects_among_them():
    head = build_head(in_index=[1, 2, 3, 0], in_channels=[6, 10, 16, 4])
    stages = draw_stages(15, 22)
    last = tuple(x.contiguous(memory_format=torch.channels_last) for x in stages)
    before = [x.clone() for x in last]
    merged, logits = merge(head, stages)
    decoder, _, ours = decode_teacher(head, last)
    torch.testing.assert_close(ours, logits, **TIGHT)
    std = merged.std(dim=(0, 2, 3))
    torch.testing.assert_close(decoder.std, std, **TIGHT)
    for stage, copied in zip(last, before, strict=True):
        assert torch.equal(stage, copied)


def test_convolutions_with_biases_are_folded_too():
    head, stages = build_head(), draw_stages(9, 12)
    for module in (*head.convs, head.fusion_conv):
        module.conv.bias = nn.Parameter(torch.randn(12).double(), requires_grad=False)
    merged, logits = merge(head, stages)
    decoder, _, ours = decode_teacher(head, stages)
    torch.testing.assert_close(ours, logits, **TIGHT)
    torch.testing.assert_close(decoder.mean, merged.mean(dim=(0, 2, 3)), **TIGHT)


def test_copies_in_blocks_of_rows_are_whole(monkeypatch):
    x = torch.randn(2, 5, 13, 6).contiguous(memory_format=torch.channels_last)
    for block in (1, 100, 1 << 16):
        monkeypatch.setattr(shared_decoder, 'COPIED', block)
        copied = shared_decoder._channels_first(x)
        assert copied.is_contiguous()
        assert torch.equal(copied, x)


def draw_student(size, channels=5, merged=48, images=2):
    x = torch.randn(images, channels, *size, dtype=torch.float64)
    x += torch.randn(channels, 1, 1)
    projection = nn.Conv2d(channels, merged, 1).double()
    return x.requires_grad_(), projection


def differentiate(outputs, x, projection):
    """Return the gradients of some function of both outputs."""
    torch.manual_seed(1)
    total = sum((torch.randn_like(part) * part).sum() for part in outputs)
    wanted = (x, projection.weight, projection.bias)
    return torch.autograd.grad(total, wanted)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('images', [1, 2])
def test_a_student_is_decoded_as_through_the_merged_map(size, images):
    head, stages = build_head(), draw_stages(*size, images)
    merged, _ = merge(head, stages)
    decoder = decode_teacher(head, stages)[0]
    # Half the size, rounded up; the same size; larger.
    half = tuple(-(-n // 2) for n in size)
    for own in (half, size, (size[0] + 3, size[1] * 2)):
        x, projection = draw_student(own, images=images)
        theirs = decode(head, scale_align(project(x, projection, size), merged))
        ours = decode_student(x, projection, decoder, EPS)
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, **TIGHT)
        gradients = differentiate(ours, x, projection)
        expected = differentiate(theirs, x, projection)
        for a, b in zip(gradients[:2], expected[:2], strict=True):
            atol = 1e-10 * float(b.abs().max())
            torch.testing.assert_close(a, b, rtol=1e-9, atol=atol)
        assert (gradients[2] == 0).all()  # and not None, for DDP


def test_gradients_agree_with_finite_differences():
    torch.manual_seed(3)
    head, stages = build_head(channels=3, num_classes=2), draw_stages(8, 8)
    decoder = decode_teacher(head, stages)[0]
    x, projection = draw_student((3, 4), channels=2, merged=12)

    def compute(x, weight):
        clone = copy.copy(projection)
        clone._parameters = {'weight': weight, 'bias': projection.bias}
        return decode_student(x, clone, decoder, EPS)

    assert torch.autograd.gradcheck(compute, (x, projection.weight))


def test_gradients_reach_neither_the_head_nor_its_statistics():
    head, stages = build_head(), draw_stages(8, 12)
    before = {k: v.clone() for k, v in head.state_dict().items()}
    x, projection = draw_student((4, 6))
    decoder = decode_teacher(head, stages)[0]
    sum(y.sum() for y in decode_student(x, projection, decoder, EPS)).backward()
    assert projection.weight.grad.abs().max() > 0
    assert all(p.grad is None for p in head.parameters())
    for key, value in head.state_dict().items():
        assert torch.equal(value, before[key]), key


@pytest.mark.parametrize('kind', [torch.float32, torch.float64])
@pytest.mark.parametrize('value', [0.0, 3.7])
@pytest.mark.parametrize('own', [(4, 6), (8, 12)])
def test_a_student_without_any_spread_has_finite_gradients(kind, value, own):
    head, stages = build_head(), draw_stages(8, 12)
    decoder = decode_teacher(head.to(kind), tuple(x.to(kind) for x in stages))[0]
    x, projection = draw_student(own)
    projection = projection.to(kind)
    x = torch.full_like(x, value, dtype=kind).requires_grad_()
    outputs = decode_student(x, projection, decoder, EPS)
    for y in (*outputs, *differentiate(outputs, x, projection)):
        assert y.isfinite().all()


def in_single(head, stages, x, projection):
    return (
        copy.deepcopy(head).float(),
        tuple(stage.float() for stage in stages),
        x.detach().float().requires_grad_(),
        copy.deepcopy(projection).float(),
    )


def test_float32_is_near_float64():
    head, stages = build_head(), draw_stages(13, 19)
    x, projection = draw_student((7, 10))
    results = []
    for case in (
        (head, stages, x, projection),
        in_single(head, stages, x, projection),
    ):
        decoder, *decoded = decode_teacher(*case[:2])
        outputs = decode_student(*case[2:], decoder, EPS)
        statistics = decoder.std, decoder.mean
        results.append((*statistics, *decoded, *(y.detach() for y in outputs)))
    for exact, single in zip(*results, strict=True):
        assert single.dtype == torch.float32
        atol = 1e-5 * float(exact.abs().max())
        torch.testing.assert_close(single.double(), exact, rtol=0, atol=atol)


def test_autocast_is_finite_and_near():
    case = in_single(build_head(), draw_stages(13, 19), *draw_student((7, 10)))
    results = []
    for on in (False, True):
        with torch.autocast('cpu', torch.bfloat16, enabled=on):
            decoder, *decoded = decode_teacher(*case[:2])
            outputs = decode_student(*case[2:], decoder, EPS)
        gradients = differentiate([y.float() for y in outputs], *case[2:])
        everything = (decoder.std, decoder.mean, *decoded, *outputs, *gradients[:2])
        results.append([y.detach().float() for y in everything])
    for exact, rounded in zip(*results, strict=True):
        assert rounded.isfinite().all()
        assert (rounded - exact).norm() < 0.05 * exact.norm()


def test_the_alignment_takes_the_decoder_instead_of_the_merged_map():
    model = load_config('segformer-t-streets').model
    teacher = randomise(Teacher(MODELS.build(model))).double()
    image = torch.randn(2, 3, 93, 125, dtype=torch.float64)
    alignment = SharedDecoderHeadAlignment(0, 5, teacher.merged_channels).double()
    x = torch.randn(2, 5, 12, 16, dtype=torch.float64)
    fast = alignment((x,), teacher(image), None)  # needs no decode
    slow = alignment((x,), teacher(image, fused=False), teacher.decode)
    assert list(fast) == list(slow)
    for name, pair in slow.items():
        for ours, theirs in zip(fast[name], pair, strict=True):
            torch.testing.assert_close(ours, theirs, **TIGHT)


def test_features_without_spread_are_finite_under_float16():
    head = build_head().float()
    stages = tuple(x.float() for x in draw_stages(8, 12))
    x, projection = draw_student((4, 6))
    x = torch.full_like(x, 3.7, dtype=torch.float32).requires_grad_()
    projection = projection.float()
    with torch.autocast('cpu', torch.float16):
        decoder = decode_teacher(head, stages)[0]
        outputs = decode_student(x, projection, decoder, EPS)
    gradients = differentiate([y.float() for y in outputs], x, projection)
    for y in (*outputs, *gradients):
        assert y.isfinite().all()
