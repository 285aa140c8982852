"""What the stack needs before mmseg can be imported and checkpoints loaded.

Two gaps are closed here, once, when ``sctnet`` is imported:

- mmseg 1.2.2 imports ``mmcv.ops`` unguarded, and mmcv-lite has all of it but the
  compiled module ``mmcv._ext``. A stand-in whose every op raises when *called*
  lets everything import that does not need an op.
- torch >= 2.6 loads with ``weights_only=True``; mmengine's own checkpoints hold
  its ``HistoryBuffer`` and numpy scalars, which must be named as harmless.
"""

import pickle
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NoReturn

EXTENSION = 'mmcv._ext'


class MissingOps(ModuleType):
    """Stands in for mmcv's compiled extension: every op raises when it is called."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name.startswith('__'):
            raise AttributeError(name)

        def missing_op(*args: Any, **kwargs: Any) -> NoReturn:
            raise NotImplementedError(
                f"the compiled op '{name}' is not part of mmcv-lite: replace it by "
                f"the full package with 'pip uninstall -y mmcv-lite && pip install "
                f'"mmcv>=2.0.1,<2.2"\''
            )

        return missing_op


def stand_in_for_missing_ops() -> bool:
    """Make ``mmcv.ops`` importable with mmcv-lite; True if a stand-in is in place.

    With the full mmcv nothing is touched. mmengine's ``mmcv_full_available()`` keeps
    answering no, because the stand-in's spec has no loader.

    Raises:
        ImportError: neither mmcv nor mmcv-lite is installed.
    """
    if isinstance(sys.modules.get(EXTENSION), MissingOps):
        return True
    if find_spec('mmcv') is None:
        raise ImportError(
            'sctnet needs mmcv or mmcv-lite and found neither: run '
            '\'pip install "mmcv-lite>=2.0.1,<2.2"\''
        )
    if find_spec(EXTENSION) is not None:
        return False
    module = MissingOps(EXTENSION)
    module.__spec__ = ModuleSpec(EXTENSION, loader=None)
    sys.modules[EXTENSION] = module
    return True


def allow_own_checkpoint_types() -> None:
    """Name the harmless types in mmengine's checkpoints to torch's safe unpickler.

    Only data: numpy's array and scalar constructors, its dtypes, and mmengine's
    ``HistoryBuffer`` (log curves) with its four statistics. Nothing on the list runs
    code of the file's.
    """
    import numpy as np
    import torch
    from mmengine.logging.history_buffer import HistoryBuffer

    if not hasattr(torch.serialization, 'add_safe_globals'):  # torch < 2.4
        return
    multiarray = (getattr(np, '_core', None) or np.core).multiarray
    dtypes = [
        getattr(np.dtypes, name) for name in dir(np.dtypes) if name.endswith('DType')
    ]
    safe: list[Any] = [np.ndarray, np.dtype, HistoryBuffer, *dtypes]
    for name in ('_reconstruct', 'scalar'):
        # numpy 1 and numpy 2 write the same functions under different paths.
        for package in ('numpy.core', 'numpy._core'):
            safe.append((getattr(multiarray, name), f'{package}.multiarray.{name}'))
    safe.append((history_statistic, 'builtins.getattr'))
    torch.serialization.add_safe_globals(safe)


def history_statistic(owner: type, name: str) -> Any:
    """What a weights-only load runs where a file asks for ``getattr``.

    ``HistoryBuffer`` pickles its statistics as ``getattr(HistoryBuffer, 'min')`` and so
    on. These are given; everything else that ``getattr`` would reach is refused.

    Raises:
        pickle.UnpicklingError: any other owner or name.
    """
    from mmengine.logging.history_buffer import HistoryBuffer

    if owner is HistoryBuffer and name in ('min', 'max', 'mean', 'current'):
        return getattr(owner, name)
    raise pickle.UnpicklingError(
        f'Unsupported global: GLOBAL getattr({owner!r}, {name!r})'
    )


def prepare_environment() -> None:
    """Close both gaps and put the safe checkpoint reader behind mmengine's loader."""
    stand_in_for_missing_ops()
    allow_own_checkpoint_types()
    from .checkpoint_files import register_loaders

    register_loaders()
