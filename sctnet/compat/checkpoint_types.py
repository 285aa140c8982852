"""Types in mmengine's checkpoints that torch's safe unpickler may build."""

import pickle
from typing import Any

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer


def allow_own_checkpoint_types() -> None:
    """Name the harmless types in mmengine's checkpoints to torch's safe unpickler.

    These are plain numbers: numpy arrays and scalars without objects, fields or foreign
    buffers, and mmengine's ``HistoryBuffer`` (log curves) with its four statistics.
    Where numpy's own constructors would take more from a file (a buffer of bytes read
    as object pointers, say), a narrower stand-in answers to their names.
    """
    dtypes = [
        getattr(np.dtypes, name)
        for name in dir(np.dtypes)
        if name.endswith('DType')
        and name not in ('ObjectDType', 'VoidDType', 'StringDType')
    ]
    safe: list[Any] = [
        HistoryBuffer,
        *dtypes,
        (PlainArray, 'numpy.ndarray'),
        (plain_dtype, 'numpy.dtype'),
        (history_statistic, 'builtins.getattr'),
    ]
    multiarray = (getattr(np, '_core', None) or np.core).multiarray
    for name in ('_reconstruct', 'scalar'):
        # numpy 1 and numpy 2 write the same functions under different paths.
        for package in ('numpy.core', 'numpy._core'):
            safe.append((getattr(multiarray, name), f'{package}.multiarray.{name}'))
    torch.serialization.add_safe_globals(safe)


def _plain(dtype: np.dtype) -> np.dtype:
    if dtype.hasobject or dtype.names is not None or dtype.subdtype is not None:
        raise pickle.UnpicklingError(
            f'Unsupported global: GLOBAL numpy.dtype({str(dtype)!r})'
        )
    return dtype


def plain_dtype(*spec: Any) -> np.dtype:
    """What a file gets for ``numpy.dtype``: numbers, no objects, no fields.

    Raises:
        pickle.UnpicklingError: any other dtype.
    """
    return _plain(np.dtype(*spec))


class PlainArray(np.ndarray):
    """What a file gets for ``numpy.ndarray``: its constructor is out of reach.

    ``_reconstruct`` makes an empty one and ``__setstate__`` fills it with numbers.
    """

    def __new__(cls, *_: Any) -> 'PlainArray':
        """Refuse: a file could pass a buffer to be read as pointers."""
        raise pickle.UnpicklingError('Unsupported global: GLOBAL numpy.ndarray')

    def __setstate__(self, state: Any) -> None:
        """Fill the array, unless its dtype is more than numbers."""
        _plain(state[2])
        super().__setstate__(state)

    def __reduce__(self) -> Any:
        """Pickle as an ordinary array, so that no file names this class."""
        return np.asarray(self).view(np.ndarray).__reduce__()


def history_statistic(owner: type, name: str) -> Any:
    """What a weights-only load runs where a file asks for ``getattr``.

    ``HistoryBuffer`` pickles its statistics as ``getattr(HistoryBuffer, 'min')`` and so
    on. These are given; everything else that ``getattr`` would reach is refused.

    Raises:
        pickle.UnpicklingError: any other owner or name.
    """
    if owner is HistoryBuffer and name in ('min', 'max', 'mean', 'current'):
        return getattr(owner, name)
    raise pickle.UnpicklingError(
        f'Unsupported global: GLOBAL getattr({owner!r}, {name!r})'
    )
