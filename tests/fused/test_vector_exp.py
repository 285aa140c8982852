import math

import numba
import numpy as np
import pytest

from sctnet.models.shortcuts import vector_exp

exp = vector_exp.exp


@numba.njit
def exponentials(values):
    out = np.empty_like(values)
    for i in range(len(values)):
        out[i] = exp(values[i])
    return out


@numba.njit(fastmath=True)
def fast_exponentials(values):
    out = np.empty_like(values)
    for i in range(len(values)):
        out[i] = exp(values[i])
    return out


# Where fastmath may reorder the subtraction of n log(2), it rounds once more.
@pytest.mark.parametrize(
    ('compiled', 'rtol'), [(exponentials, 2e-7), (fast_exponentials, 4e-7)]
)
def test_float32_is_as_exact_as_the_type(compiled, rtol):
    steps = np.arange(-124, 1) * math.log(2) / 2  # where the power of 2 changes
    values = np.concatenate(
        [np.linspace(-86, 0, 200_001), steps, steps + 1e-6, [0.0, -1e-8, -1e-30]]
    )
    values = np.minimum(values, 0).astype(np.float32)
    ours = compiled(values)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, np.exp(values.astype(np.float64)), rtol=rtol)
    assert compiled(np.zeros(1, np.float32))[0] == 1


@pytest.mark.parametrize('compiled', [exponentials, fast_exponentials])
def test_far_below_zero_it_is_next_to_nothing(compiled):
    values = np.float32([-87, -87.5, -88, -104, -1e4, -1e30, np.finfo('f').min])
    ours = compiled(values)
    assert (ours >= 0).all()
    assert (ours < 2e-38).all()


def test_float64_is_that_of_libm():
    values = np.linspace(-740, 0, 10_001)
    expected = np.array([math.exp(value) for value in values])
    np.testing.assert_array_equal(exponentials(values), expected)


def test_python_cannot_call_it():
    with pytest.raises(NotImplementedError, match='only kernels'):
        exp(-1.0)
