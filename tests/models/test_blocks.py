import pytest
import torch

from sctnet.errors import ConfigError
from sctnet.models import DAPPM, CFBlock, ConvAttention

BN = {'type': 'BN'}


def test_attention_weights_sum_to_one_within_a_head():
    attention = ConvAttention(8, 2, 16, BN)
    weights = attention._normalise_twice(torch.randn(3, 16, 5, 7).double())
    heads = weights.reshape(3, 2, 8, 5, 7).sum(dim=2)
    # 1e-6 in the denominator is large where a head's softmax values are small
    assert (heads <= 1).all()
    assert (heads > 0.99).all()


def test_heads_must_divide_keys():
    with pytest.raises(ConfigError, match='not divisible by num_heads=3'):
        ConvAttention(8, 3, 16, BN)


def test_drop_path_drops_whole_samples_in_training_only():
    block = CFBlock(8, BN, num_heads=2, num_keys=4, drop_path_rate=0.5)
    x = torch.randn(64, 8, 4, 4)
    with torch.no_grad():
        unchanged = (block.train()(x) == x).flatten(1).all(dim=1)
        assert 4 < unchanged.sum() < 32  # both draws drop: a quarter
        assert torch.equal(block.eval()(x), block.eval()(x))


def test_dappm_keeps_the_size_of_any_map():
    dappm = DAPPM(8, 4, 6, BN).eval()
    for size in ((1, 1), (2, 5), (33, 17)):
        assert dappm(torch.zeros(1, 8, *size)).shape == (1, 6, *size)
