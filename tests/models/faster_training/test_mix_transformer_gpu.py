import os

import pytest
import torch
from test_mix_transformer import build
from torch import nn

from sctnet.models.faster_training import mix_transformer

pytest.importorskip('triton')
gpu = pytest.importorskip('sctnet.models.faster_training.mix_transformer_gpu')
DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'  # there by the interpreter

if DEVICE == 'cpu' and not os.environ.get('TRITON_INTERPRET'):
    pytest.skip('Triton runs on GPUs alone', allow_module_level=True)


def norm_of(channels):
    norm = nn.LayerNorm(channels, eps=1e-4).to(DEVICE)
    norm.weight.data = torch.rand(channels, device=DEVICE) + 0.5
    norm.bias.data = torch.randn(channels, device=DEVICE)
    return norm


@pytest.mark.parametrize('channels', [8, 20, 64, 320])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_a_sum_and_its_norm_are_torchs(channels, dtype):
    stream = 3 * torch.randn(2, 35, channels, device=DEVICE) + 5
    branch = torch.randn_like(stream).to(dtype)
    norm, ours = norm_of(channels), stream.clone()
    with torch.no_grad():
        found = gpu.add_and_norm(ours, branch, norm, torch.float32)
        half = gpu.add_and_norm(stream.clone(), branch, norm, dtype)
        alone = gpu.add_and_norm(branch, None, norm, torch.float32)
        expected = norm(stream + branch)
    assert torch.equal(ours, stream + branch)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    last_place = {'rtol': 2**-7, 'atol': 1e-6} if dtype is torch.bfloat16 else {}
    torch.testing.assert_close(half, found.to(dtype), **last_place)
    torch.testing.assert_close(alone, norm(branch.float()), rtol=1e-5, atol=1e-5)


def test_a_bias_and_a_gelu_are_torchs():
    x, bias = torch.randn(2, 70, 24, device=DEVICE), torch.randn(24, device=DEVICE)
    expected = nn.functional.gelu(x + bias)
    half = gpu.bias_and_gelu(x.half(), bias.half())
    torch.testing.assert_close(half.float(), expected, rtol=5e-3, atol=2e-3)
    found = gpu.bias_and_gelu(x, bias)
    assert found is x
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_it_is_tried_out_first(dtype):
    gpu.try_out(torch.device(DEVICE), dtype)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_stages_by_kernels_are_as_near_as_without(monkeypatch, dtype):
    backbone, image = build().float().to(DEVICE), torch.randn(1, 3, 64, 96)
    image = image.to(DEVICE)
    with torch.no_grad():
        exact = backbone(image)
        with torch.autocast(DEVICE, dtype):
            monkeypatch.setattr(mix_transformer, '_choose_ops', lambda x: plain)
            plain = mix_transformer._TorchOps()
            theirs = mix_transformer.run_backbone(backbone, image)
            by_kernels = mix_transformer._TritonOps(dtype)
            monkeypatch.setattr(mix_transformer, '_choose_ops', lambda x: by_kernels)
            ours = mix_transformer.run_backbone(backbone, image)
    for a, b, c in zip(ours, theirs, exact, strict=True):
        assert a.dtype == torch.float32
        assert 0 < (a - c).norm() < 1.3 * (b - c).norm()
