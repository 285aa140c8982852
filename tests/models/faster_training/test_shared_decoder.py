import copy

import pytest
import torch
from mmseg.models.decode_heads import SegformerHead
from mmseg.registry import MODELS
from support import randomise
from torch import nn

from sctnet.catalog import load_config
from sctnet.models import Teacher
from sctnet.models.faster_training.shared_decoder import (
    FoldedDecoder,
    PointwiseFeatures,
    supports_decoder,
)
from sctnet.models.faster_training.shared_decoder import decode_stages as decode
from sctnet.models.teacher_features import Decoded, MergedFeatures

TIGHT = {'rtol': 1e-9, 'atol': 1e-11}
CHANNELS = (4, 6, 10, 16)
STRIDES = (1, 2, 4, 8)
HEAD = {
    'in_channels': CHANNELS, 'in_index': [0, 1, 2, 3], 'channels': 12, 'num_classes': 7,
    'norm_cfg': {'type': 'BN'}, 'align_corners': False,
}  # fmt: skip


def decode_stages(head, maps, stages):
    return decode(FoldedDecoder(head, head), maps, stages)


def build_head(kind=SegformerHead, **options):
    head = randomise(kind(**{**HEAD, **options}))
    nn.init.normal_(head.conv_seg.weight)
    return head.double().eval().requires_grad_(False)


def draw_stages(height, width, images=2):
    return tuple(
        torch.randn(images, c, -(-height // s), -(-width // s), dtype=torch.float64)
        for c, s in zip(CHANNELS, STRIDES, strict=True)
    )


def readable(head, stages):
    """The features of mmseg's own code, with what its fusion convolution is given."""
    merged = []
    hook = head.fusion_conv.register_forward_pre_hook(
        lambda _, inputs: merged.append(inputs[0])
    )
    logits = head(stages)
    hook.remove()

    def decode(x):
        features = head.fusion_conv(x)
        return Decoded(features, head.cls_seg(features))

    torch.testing.assert_close(decode(merged[0]).logits, logits)
    return MergedFeatures(stages, decode(merged[0]), merged[0], decode)


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


@pytest.mark.parametrize('size', [(16, 24), (13, 19), (32, 47), (8, 8)])
@pytest.mark.parametrize('images', [1, 2])
def test_teacher_and_student_are_decoded_as_through_the_merged_map(size, images):
    head, stages = build_head(), draw_stages(*size, images)
    exact, short = readable(head, stages), decode_stages(head, stages, stages)
    std, mean = torch.std_mean(exact.merged, dim=(0, 2, 3))
    torch.testing.assert_close(short.std, std, **TIGHT)
    torch.testing.assert_close(short.mean, mean, **TIGHT)
    for ours, theirs in zip(short.decoded, exact.decoded, strict=True):
        torch.testing.assert_close(ours, theirs, **TIGHT)
        assert ours.is_contiguous()
    # Half the size, rounded up; the same size; larger.
    half = tuple(-(-n // 2) for n in size)
    for own in (half, size, (size[0] + 3, size[1] * 2)):
        x, projection = draw_student(own, images=images)
        ours, theirs = (f.decode_aligned(x, projection) for f in (short, exact))
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, **TIGHT)
        gradients = differentiate(ours, x, projection)
        expected = differentiate(theirs, x, projection)
        for a, b in zip(gradients[:2], expected[:2], strict=True):
            atol = 1e-10 * float(b.abs().max())
            torch.testing.assert_close(a, b, rtol=1e-9, atol=atol)
        assert (gradients[2] == 0).all()  # and not None, for DDP


def test_maps_may_have_any_layout_and_convolutions_biases():
    head = build_head(in_index=[1, 2, 3, 0], in_channels=[6, 10, 16, 4])
    for module in (*head.convs, head.fusion_conv):
        module.conv.bias = nn.Parameter(torch.randn(12).double(), requires_grad=False)
    stages = draw_stages(15, 22)
    last = tuple(x.contiguous(memory_format=torch.channels_last) for x in stages)
    before = [x.clone() for x in last]
    exact, short = readable(head, stages), decode_stages(head, last, last)
    torch.testing.assert_close(short.decoded.logits, exact.decoded.logits, **TIGHT)
    std, mean = torch.std_mean(exact.merged, dim=(0, 2, 3))
    torch.testing.assert_close(short.std, std, **TIGHT)
    torch.testing.assert_close(short.mean, mean, **TIGHT)
    for stage, copied in zip(last, before, strict=True):
        assert torch.equal(stage, copied)


def test_gradients_agree_with_finite_differences():
    torch.manual_seed(3)
    head, stages = build_head(channels=3, num_classes=2), draw_stages(8, 8)
    teacher = decode_stages(head, stages, stages)
    x, projection = draw_student((3, 4), channels=2, merged=12)

    def compute(x, weight):
        clone = copy.copy(projection)
        clone._parameters = {'weight': weight, 'bias': projection.bias}
        return teacher.decode_aligned(x, clone)

    assert torch.autograd.gradcheck(compute, (x, projection.weight))


def test_gradients_reach_neither_the_head_nor_its_statistics():
    head, stages = build_head(), draw_stages(8, 12)
    before = {k: v.clone() for k, v in head.state_dict().items()}
    x, projection = draw_student((4, 6))
    teacher = decode_stages(head, stages, stages)
    sum(y.sum() for y in teacher.decode_aligned(x, projection)).backward()
    assert projection.weight.grad.abs().max() > 0
    assert all(p.grad is None for p in head.parameters())
    for key, value in head.state_dict().items():
        assert torch.equal(value, before[key]), key


@pytest.mark.parametrize('kind', [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize('value', [0.0, 3.7])
@pytest.mark.parametrize('own', [(4, 6), (8, 12)])
def test_a_student_without_any_spread_has_finite_gradients(kind, value, own):
    half = kind == torch.float16  # by autocast
    kind = torch.float32 if half else kind
    head, stages = build_head().to(kind), [x.to(kind) for x in draw_stages(8, 12)]
    x, projection = draw_student(own)
    projection = projection.to(kind)
    x = torch.full_like(x, value, dtype=kind).requires_grad_()
    with torch.autocast('cpu', torch.float16, enabled=half):
        teacher = decode_stages(head, tuple(stages), ())
        outputs = teacher.decode_aligned(x, projection)
    gradients = differentiate([y.float() for y in outputs], x, projection)
    for y in (*outputs, *gradients):
        assert y.isfinite().all()


def everything(head, stages, x, projection):
    teacher = decode_stages(head, stages, stages)
    outputs = teacher.decode_aligned(x, projection)
    gradients = differentiate([y.float() for y in outputs], x, projection)
    found = (teacher.std, teacher.mean, *teacher.decoded, *outputs, *gradients[:2])
    return [y.detach() for y in found]


def test_float32_and_autocast_are_near_float64():
    head, stages = build_head(), draw_stages(13, 19)
    x, projection = draw_student((7, 10))
    exact = everything(head, stages, x, projection)
    x = x.detach().float().requires_grad_()
    stages = tuple(stage.float() for stage in stages)
    single = head.float(), stages, x, projection.float()
    for ours, theirs in zip(everything(*single), exact, strict=True):
        assert ours.dtype == torch.float32
        atol = 1e-5 * float(theirs.abs().max())
        torch.testing.assert_close(ours.double(), theirs, rtol=0, atol=atol)
    with torch.autocast('cpu', torch.bfloat16):
        rounded = everything(*single)
    for ours, theirs in zip(rounded, exact, strict=True):
        assert ours.isfinite().all()
        assert (ours - theirs).norm() < 0.05 * theirs.norm()


def test_decoders_that_cannot_be_cut_are_left_alone():
    class Other(SegformerHead):
        def forward(self, inputs):
            return super().forward(inputs) * 2

    assert supports_decoder(SegformerHead(**HEAD))
    assert supports_decoder(SegformerHead(**{**HEAD, 'norm_cfg': {'type': 'SyncBN'}}))
    assert not supports_decoder(Other(**HEAD))
    assert not supports_decoder(nn.Conv2d(1, 1, 1))
    cases = [
        {'align_corners': True},
        {'interpolate_mode': 'nearest'},
        {'norm_cfg': {'type': 'GN', 'num_groups': 2}},
        {'norm_cfg': {'type': 'IN'}},
        {'norm_cfg': None},
        {'norm_cfg': {'type': 'BN', 'track_running_stats': False}},
        {'norm_cfg': {'type': 'BN', 'affine': False}},
        {'act_cfg': {'type': 'LeakyReLU'}},
        {'act_cfg': None},
    ]
    for options in cases:
        head = SegformerHead(**{**HEAD, **options}).eval()
        assert not supports_decoder(head), options


@pytest.mark.parametrize(
    ('options', 'kind'),
    [
        ({}, PointwiseFeatures),
        ({'align_corners': True}, MergedFeatures),
        ({'norm_cfg': {'type': 'GN', 'num_groups': 4}}, MergedFeatures),
        ({'act_cfg': {'type': 'LeakyReLU'}}, MergedFeatures),
    ],
    ids=lambda value: '-'.join(value) if isinstance(value, dict) else '',
)
def test_a_teacher_takes_the_way_that_its_decoder_allows(options, kind):
    cfg = copy.deepcopy(load_config('segformer-t-streets').model)
    cfg.decode_head.update(options)
    teacher = randomise(Teacher(MODELS.build(cfg))).double()
    image = torch.randn(2, 3, 61, 93, dtype=torch.float64)
    short, exact = teacher(image), teacher(image, shortcuts=False)
    assert type(short) is kind
    assert type(exact) is MergedFeatures
    torch.testing.assert_close(short.decoded, exact.decoded, **TIGHT)
    x, projection = draw_student((8, 12), merged=teacher.merged_channels)
    for ours, theirs in zip(
        short.decode_aligned(x, projection),
        exact.decode_aligned(x, projection),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, **TIGHT)
