"""Label maps from small logits against mmseg's two resizes and argmax."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numba.core.caching
import numpy as np
import pytest
import torch
from mmseg.models.utils import resize
from torch.nn import functional as F

from sctnet.compat import compiled as compiled_functions
from sctnet.prediction import label_map as maps
from sctnet.prediction import label_map_cpu
from sctnet.prediction.label_map import Geometry

# logits (h, w), network's input, padding (left, right, top, bottom), image
GEOMETRIES = {
    'up, up': ((8, 16), (64, 128), (0, 0, 0, 0), (150, 301)),
    'up, same': ((9, 11), (72, 83), (0, 0, 0, 0), (72, 83)),
    'up, down': ((17, 23), (130, 177), (0, 0, 0, 0), (77, 59)),
    'up, far down': ((16, 16), (128, 128), (0, 0, 0, 0), (5, 7)),
    'padded': ((12, 13), (96, 104), (3, 8, 5, 16), (99, 201)),
    'stretched': ((5, 33), (40, 257), (0, 0, 0, 0), (333, 61)),
    'down, up': ((24, 24), (10, 9), (0, 0, 0, 0), (60, 70)),
    'one value': ((1, 1), (8, 8), (0, 0, 0, 0), (31, 20)),
}


def random_logits(classes, size, smooth, seed=0):
    generator = torch.Generator().manual_seed(seed)
    if not smooth:
        return torch.randn(classes, *size, generator=generator)
    small = torch.randn(1, classes, 3, 4, generator=generator)
    return F.interpolate(small, size, mode='bicubic')[0]


def numba_kernel(logits, rows, columns, labels, threads=None):
    values = logits.numpy()
    label_map_cpu.cpu_labels(values, rows, columns, labels.numpy(), threads)


def threaded_numba(*args):
    numba_kernel(*args, threads=3)


def triton_kernel(logits, rows, columns, labels):
    pytest.importorskip('triton')
    if torch.cuda.is_available():
        pytest.skip('on a GPU Triton is compiled; tests of runtimes run it there')
    from sctnet.prediction.label_map_gpu import gpu_labels

    gpu_labels(logits, rows, columns, labels)


def assert_equal_labels(labels, logits, geometry):
    """Equal but where the two best classes are equal to float rounding."""
    full = maps.full_logits(logits, geometry)
    best = full.topk(2, dim=0)
    margin = best.values[0] - best.values[1]
    differs = labels != best.indices[0]
    assert not (differs & (margin > 1e-4 * logits.std())).any()
    assert differs.double().mean() <= 1e-4


@pytest.mark.parametrize('path', [numba_kernel, threaded_numba, triton_kernel])
@pytest.mark.parametrize('name', GEOMETRIES)
def test_every_kernel_equals_two_resizes_and_argmax(path, name):
    size, *rest = GEOMETRIES[name]
    geometry = Geometry(*rest)
    if path is triton_kernel and np.prod(geometry.image) > 10_000:
        pytest.skip('the interpreter is slow')
    logits = random_logits(5, size, smooth=False)
    labels = torch.full(geometry.image, 99)
    path(logits, *maps._axes(logits, geometry), labels)
    assert_equal_labels(labels, logits, geometry)


@pytest.mark.parametrize('name', ['up, up', 'up, down', 'padded'])
@pytest.mark.parametrize(
    ('classes', 'smooth'),
    [(2, False), (19, True), (19, False), (150, True), (171, False), (300, True)],
)
def test_any_number_of_classes(classes, smooth, name):
    size, *rest = GEOMETRIES[name]
    logits = random_logits(classes, size, smooth)
    geometry = Geometry(*rest)
    assert_equal_labels(maps.label_map(logits, geometry), logits, geometry)


@pytest.mark.parametrize('dtype', [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions(dtype):
    size, *rest = GEOMETRIES['up, up']
    logits = random_logits(19, size, smooth=False).to(dtype)
    exact = logits if dtype == torch.float64 else logits.float()
    assert_equal_labels(maps.label_map(logits, Geometry(*rest)), exact, Geometry(*rest))


def test_strides_and_gradients():
    size, *rest = GEOMETRIES['up, up']
    logits = random_logits(19, size, smooth=True).requires_grad_()
    strided = logits.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    labels = maps.label_map(strided, Geometry(*rest))
    assert torch.equal(labels, maps.label_map(logits, Geometry(*rest)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
@pytest.mark.parametrize('name', GEOMETRIES)
def test_gpu_equals_cpu(name):
    size, *rest = GEOMETRIES[name]
    logits = random_logits(19, size, smooth=False)
    device = f'cuda:{torch.cuda.device_count() - 1}'
    labels = maps.label_map(logits.to(device), Geometry(*rest)).cpu()
    assert not maps._broken
    assert_equal_labels(labels, logits, Geometry(*rest))


def test_first_of_equal_classes_wins():
    logits = torch.zeros(3, 8, 8)
    logits[1:] = random_logits(1, (8, 8), smooth=True)
    geometry = Geometry((64, 64), (0, 0, 0, 0), (100, 100))
    assert set(maps.label_map(logits, geometry).unique().tolist()) == {0, 1}


@pytest.mark.parametrize('classes', [4, 7, 8, 15])
@pytest.mark.parametrize('all_of_it', [False, True])
def test_not_a_number_ends_in_some_label(classes, all_of_it):
    logits = random_logits(classes, (8, 8), smooth=True)
    logits[:, :: 1 if all_of_it else 3, 3 * (not all_of_it) :] = float('nan')
    geometry = Geometry((64, 64), (0, 0, 0, 0), (100, 90))
    labels = maps.label_map(logits, geometry)
    assert labels.min() >= 0
    assert labels.max() < classes


def test_threads_of_the_caller_do_not_disturb_each_other():
    geometry = Geometry((64, 96), (0, 0, 0, 0), (200, 300))
    many = [random_logits(19, (8, 12), False, seed) for seed in range(8)]
    expected = [maps.label_map(logits, geometry) for logits in many]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda x: maps.label_map(x, geometry), 4 * many))
    for result, label in zip(results, 4 * expected, strict=True):
        assert torch.equal(result, label)


@pytest.fixture
def said(monkeypatch):
    """What is printed, and no kernel known to be broken."""
    lines = []
    for module in (maps, compiled_functions):
        monkeypatch.setattr(module, 'print_log', lambda text, **_: lines.append(text))
    monkeypatch.setattr(maps, '_broken', set())
    compiled_functions._say_that_nothing_is_kept.cache_clear()
    return lines


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_without_numba_labels_are_mmsegs_and_why_is_said_once(dtype, monkeypatch, said):
    monkeypatch.setitem(sys.modules, 'sctnet.prediction.label_map_cpu', None)
    size, *rest = GEOMETRIES['padded']
    logits, geometry = random_logits(19, size, False).to(dtype), Geometry(*rest)
    expected = maps.full_logits(logits.float(), geometry).argmax(0)
    for _ in range(2):
        assert torch.equal(maps.label_map(logits, geometry), expected)
    (line,) = said
    assert line.startswith('Numba cannot make label maps here')


def test_without_a_folder_for_it_numba_compiles_and_says_so_once(monkeypatch, said):
    monkeypatch.setattr(numba.core.caching.CacheImpl, '_locator_classes', [])

    @compiled_functions.compiled(error_model='numpy')
    def half(x):
        return x / 2

    @compiled_functions.compiled()
    def third(x):
        return half(x) / 3

    assert third(12.0) == 2
    assert third.signatures
    (line,) = said
    assert 'set NUMBA_CACHE_DIR' in line


def test_full_logits_are_mmsegs():
    logits = random_logits(5, (12, 13), smooth=False)
    geometry = Geometry(*GEOMETRIES['padded'][1:])
    middle = resize(logits[None], (96, 104), mode='bilinear', align_corners=False)
    cut = middle[..., 5:80, 3:96]
    expected = resize(cut, (99, 201), mode='bilinear', align_corners=False)[0]
    assert torch.equal(maps.full_logits(logits, geometry), expected)
