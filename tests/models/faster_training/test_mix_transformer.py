import sys
from collections import Counter
from types import ModuleType, SimpleNamespace

import pytest
import torch
from mmseg.models.backbones import MixVisionTransformer
from mmseg.registry import MODELS
from torch.nn import functional as F

from sctnet.catalog import load_config
from sctnet.models import Teacher, faster_training
from sctnet.models.faster_training import mix_transformer
from sctnet.models.faster_training.mix_transformer import (
    run_backbone,
    supports_backbone,
)

DEVICE = torch.device('cuda')
KERNELS = 'sctnet.models.faster_training.mix_transformer_gpu'
SMALL = {
    'embed_dims': 8,
    'num_layers': [1, 2, 1, 1],
    'num_heads': [1, 2, 5, 8],
    'sr_ratios': [8, 4, 2, 1],
}


def build(kind=MixVisionTransformer, **options):
    backbone = kind(**{**SMALL, **options}).eval().requires_grad_(False)
    for parameter in backbone.parameters():  # none at its initial 0 or 1
        parameter += torch.randn_like(parameter) / 10
    return backbone.double()


def assert_same(backbone, image, **tolerance):
    tolerance = {'rtol': 1e-9, 'atol': 1e-12, **tolerance}
    with torch.no_grad():
        expected = backbone(image)
        ours = run_backbone(backbone, image)
    assert isinstance(ours, tuple)
    assert len(ours) == len(expected)
    for stage, theirs in zip(ours, expected, strict=True):
        torch.testing.assert_close(stage, theirs, **tolerance)
        # Stages whose map is one pixel are in both layouts.
        assert stage.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('size', [(64, 96), (125, 187), (33, 64), (32, 32)])
@pytest.mark.parametrize('images', [1, 2])
def test_stages_are_those_of_mmseg(size, images):
    assert_same(build(), torch.randn(images, 3, *size, dtype=torch.float64))


@pytest.mark.parametrize(
    'options',
    [
        {'qkv_bias': False},
        {'out_indices': (1, 3)},
        {'out_indices': (0, 2)},
        {'act_cfg': {'type': 'ReLU'}},
        {'mlp_ratio': 2, 'sr_ratios': [4, 2, 1, 1]},
        {'drop_rate': 0.5, 'attn_drop_rate': 0.5, 'drop_path_rate': 0.5},
        {'patch_sizes': [7, 3, 5, 3], 'strides': [4, 2, 2, 1]},
        {'norm_cfg': {'type': 'LN', 'eps': 1e-2}},
        {'with_cp': True},
    ],
    ids=lambda options: '-'.join(options),
)
def test_stages_are_those_of_mmseg_with_other_options(options):
    backbone = build(**options)
    assert supports_backbone(backbone)
    assert_same(backbone, torch.randn(2, 3, 67, 94, dtype=torch.float64))


def test_the_streets_teacher_in_both_precisions():
    model = load_config('segformer-t-streets').model
    backbone = MODELS.build(model).backbone.eval()
    assert supports_backbone(backbone)
    image = torch.randn(2, 3, 125, 187)
    assert_same(backbone, image, rtol=1e-4, atol=1e-4)
    assert_same(backbone.double(), image.double())


def test_layout_does_not_matter_and_the_image_stays_as_it_is():
    backbone, image = build(), torch.randn(2, 3, 61, 64, dtype=torch.float64)
    last = image.contiguous(memory_format=torch.channels_last)
    before = image.clone()
    for a, b in zip(
        run_backbone(backbone, image), run_backbone(backbone, last), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert torch.equal(image, before)
    assert torch.equal(last, before)


def test_autocast_stays_near():
    backbone, image = build().float(), torch.randn(1, 3, 64, 96)
    exact = run_backbone(backbone, image)
    with torch.autocast('cpu', torch.bfloat16), torch.no_grad():
        rounded, theirs = run_backbone(backbone, image), backbone(image)
    for ours, mmsegs, stage in zip(rounded, theirs, exact, strict=True):
        assert ours.dtype == mmsegs.dtype
        assert (ours - stage).norm() < 0.05 * stage.norm()


def test_other_backbones_are_left_alone():
    class Other(MixVisionTransformer):
        def forward(self, x):
            return super().forward(2 * x)

    assert not supports_backbone(build(Other))
    assert not supports_backbone(torch.nn.Conv2d(3, 3, 1))
    config = load_config('segformer-t-streets').model
    teacher = Teacher(MODELS.build(config))
    teacher.segmentor.backbone = build(Other, embed_dims=32).float()
    image = torch.randn(1, 3, 64, 64)
    ours, theirs = teacher(image, decode=False), teacher(image, False, shortcuts=False)
    for a, b in zip(ours.stages, theirs.stages, strict=True):
        assert torch.equal(a, b)


def test_an_adapting_padding_or_separate_projections_are_left_alone():
    backbone = build()
    assert supports_backbone(backbone)
    backbone.layers[1][1][1].attn.attn.in_proj_weight = None
    assert not supports_backbone(backbone)
    backbone = build()
    backbone.layers[2][0].adap_padding = torch.nn.Identity()
    assert not supports_backbone(backbone)


class TorchKernels(ModuleType):
    """Computes by torch what the kernels of a GPU compute, and counts."""

    def __init__(self):
        super().__init__('kernels')
        self.calls = Counter()

    def add_and_norm(self, stream, branch, norm, dtype):
        self.calls['add'] += branch is not None
        self.calls['norm'] += 1
        if branch is not None:
            stream += branch
        return F.layer_norm(
            stream.float(), norm.normalized_shape, norm.weight, norm.bias, norm.eps
        ).to(dtype)

    def bias_and_gelu(self, x, bias):
        self.calls['gelu'] += 1
        return F.gelu(x + bias)


def test_the_way_of_a_gpu_computes_the_same(monkeypatch):
    kernels = TorchKernels()
    monkeypatch.setitem(sys.modules, KERNELS, kernels)
    monkeypatch.setattr(faster_training, 'mix_transformer_gpu', kernels, raising=False)
    backbone, image = build().float(), torch.randn(2, 3, 64, 96)
    ops = mix_transformer._TritonOps(torch.float32)
    monkeypatch.setattr(mix_transformer, '_choose_ops', lambda image: ops)
    assert_same(backbone, image, rtol=1e-4, atol=1e-5)
    blocks = sum(SMALL['num_layers'])
    assert kernels.calls['gelu'] == blocks
    # Each branch once, at its norm or at the norm of what follows.
    assert kernels.calls['add'] == 2 * blocks


@pytest.mark.parametrize(
    'options', [{'act_cfg': {'type': 'ReLU'}}, {'norm_cfg': {'type': 'LN', 'eps': 1}}]
)
def test_what_the_kernels_do_not_know_is_left_to_torch(options, monkeypatch):
    kernels = TorchKernels()
    monkeypatch.setitem(sys.modules, KERNELS, kernels)
    monkeypatch.setattr(faster_training, 'mix_transformer_gpu', kernels, raising=False)
    ops = mix_transformer._TritonOps(torch.float32)
    monkeypatch.setattr(mix_transformer, '_choose_ops', lambda image: ops)
    backbone, image = build(**options).float(), torch.randn(1, 3, 64, 64)
    assert_same(backbone, image, rtol=1e-4, atol=1e-5)
    known = kernels.calls.copy()
    for layer in backbone.layers:
        layer[2].bias = None
    assert_same(backbone, image, rtol=1e-4, atol=1e-5)
    # The last norm of each of four stages was left to torch.
    assert kernels.calls['norm'] == 2 * known['norm'] - 4
    assert bool(kernels.calls['gelu']) == ('act_cfg' not in options)


def test_a_gpu_whose_kernels_fail_is_left_to_torch_and_that_is_said(monkeypatch):
    said = []
    monkeypatch.setattr(
        mix_transformer, 'print_log', lambda text, **_: said.append(text)
    )
    monkeypatch.setitem(sys.modules, KERNELS, None)
    monkeypatch.delattr(faster_training, 'mix_transformer_gpu', raising=False)
    assert not mix_transformer._triton_works.__wrapped__(DEVICE, torch.float16)
    assert 'Triton cannot help the teacher here' in said[0]
    image = SimpleNamespace(is_cuda=True, device=DEVICE)
    monkeypatch.setattr(mix_transformer, 'autocast_dtype', lambda _: torch.float16)
    monkeypatch.setattr(mix_transformer, '_triton_works', lambda *_: False)
    assert type(mix_transformer._choose_ops(image)) is mix_transformer._TorchOps
    monkeypatch.setitem(sys.modules, KERNELS, TorchKernels())
    monkeypatch.setattr(mix_transformer, '_triton_works', lambda *_: True)
    monkeypatch.setattr(faster_training, 'mix_transformer_gpu', None, raising=False)
    assert type(mix_transformer._choose_ops(image)) is mix_transformer._TritonOps
