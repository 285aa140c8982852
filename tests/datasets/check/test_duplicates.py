"""Nearly equal pictures of two parts are found, each with its nearest, in blocks."""

import numpy as np
import pytest

from sctnet.datasets.check import duplicates
from sctnet.datasets.check.duplicates import NEAR, Look, nearly_repeated, repeated

RNG = np.random.default_rng(0)
HASHES = RNG.integers(0, 2, (40, 128), np.uint8)


def look(part, name, bits, digest=None):
    packed = b'' if bits is None else np.packbits(bits).tobytes()
    return Look(part, name, (digest or name).encode(), packed)


def flipped(bits, count):
    changed = bits.copy()
    changed[RNG.permutation(128)[:count]] ^= 1
    return changed


@pytest.mark.parametrize('pairs', [1, 200, 2**22])
def test_each_names_the_nearest_of_the_earlier_part(monkeypatch, pairs):
    monkeypatch.setattr(duplicates, '_AT_A_TIME', pairs)
    looks = [look('train', f't{i}', bits) for i, bits in enumerate(HASHES)]
    looks.insert(30, look('train', 'nearer', flipped(HASHES[3], 2)))
    looks += [
        look('val', 'at the limit', flipped(HASHES[39], NEAR)),
        look('val', 'beyond', flipped(HASHES[20], NEAR + 1)),
        look('val', 'flat', None),
        look('val 2', 'of two', flipped(HASHES[5], 1)),
        Look('val 2', 'nearest', b'another', looks[30].bits),
    ]
    found = {fault.path: (fault.part, fault.detail) for fault in nearly_repeated(looks)}
    assert found == {
        'at the limit': ('val', f"{NEAR} of 128 bits unlike 't39'"),
        'of two': ('val 2', "1 of 128 bits unlike 't5'"),
        'nearest': ('val 2', "0 of 128 bits unlike 'nearer'"),
    }


def test_all_parts_are_compared_and_a_part_not_with_itself():
    near = [flipped(HASHES[0], 1) for _ in range(4)]
    parts = ('train', 'train 2', 'val', 'test')
    looks = [look(*pair) for pair in zip(parts, 'abcd', near, strict=True)]
    found = sorted(fault.path for fault in nearly_repeated(looks))
    assert found == ['c', 'd', 'd']


def test_an_equal_picture_is_said_once_and_empty_ones_are_never_equal():
    looks = [
        look('train', 'a', HASHES[0], 'same'),
        look('train 2', 'b', HASHES[0], 'same'),
        look('val', 'c', HASHES[0], 'same'),
        Look('train', 'd', b'', b''),
        Look('val', 'e', b'', b''),
    ]
    assert not list(nearly_repeated(looks))
    assert [(fault.kind, fault.path) for fault in repeated(looks)] == [
        ('twice', 'b'),
        ('in two parts', 'c'),
    ]
