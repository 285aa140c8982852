"""An exponential that LLVM can compute for a whole vector at once.

Numba calls the C library's, one number at a time; that would be most of a softmax.
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

LANES = 8  # float32 of a vector; kernels take whole ones

_one = np.float32
_LEAST = _one(-87.0)  # below it the result is hardly above the smallest float32
_LOG2_E = _one(1.44269504)
# log(2) as a short number, whose small multiples are exact, and the rest.
_LOG_2, _LOG_2_REST = _one(0.693359375), _one(-2.12194440e-4)
_HALF, _UNIT = _one(0.5), _one(1.0)
# Of (exp(r) - 1 - r) / r^2 for |r| <= log(2) / 2, the highest power first (Cephes).
_P5, _P4, _P3, _P2, _P1, _P0 = (
    _one(c)
    for c in (
        *(1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3),
        *(4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1),
    )
)
_BIAS, _MANTISSA = np.int32(127), np.int32(23)  # of float32's layout


def exp(x: Any) -> Any:
    """Return e to the power of ``x``, which is at most 0, inside a kernel of Numba's.

    Float32 within 1.2e-7 (1.6e-38 below -87), by a polynomial; float64 by libm.
    """
    raise NotImplementedError('only kernels that Numba compiles can call it')


@intrinsic
def _float_of_bits(context, bits):
    def build(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), build


@overload(exp, inline='always')
def _exp(x):
    if x != types.float32:
        return lambda x: math.exp(x)

    def of_float32(x):
        x = max(x, _LEAST)
        n = np.floor(x * _LOG2_E + _HALF)  # x = n log(2) + r
        r = x - n * _LOG_2 - n * _LOG_2_REST
        power = ((((_P5 * r + _P4) * r + _P3) * r + _P2) * r + _P1) * r + _P0
        return (power * r * r + r + _UNIT) * _float_of_bits(
            (np.int32(n) + _BIAS) << _MANTISSA
        )

    return of_float32
