"""What the stack needs before mmseg can be imported and checkpoints loaded.

Four gaps are closed here, once, when ``sctnet`` is imported:

- mmseg 1.2.2 imports ``mmcv.ops`` unguarded, and mmcv-lite has all of it but the
  compiled module ``mmcv._ext``. A stand-in whose every op raises when *called*
  lets everything import that does not need an op.
- torch >= 2.6 loads with ``weights_only=True``; mmengine's own checkpoints hold
  its ``HistoryBuffer`` and numpy scalars, which must be named as harmless.
- mmpretrain imports torchvision for its plain transforms, and a torchvision built for
  CUDA beside a torch for the CPU fails to import for want of two compiled ops.
- mmengine builds scopes, loggers and visualizers while it holds a lock, and keeps it
  where that fails: every other thread of the process would wait for ever.
"""

import contextlib
import functools
import pickle
import sys
import warnings
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.utils import ManagerMixin
from mmengine.utils.manager import _release_lock

EXTENSION = 'mmcv._ext'
_declared: list[torch.library.Library] = []


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


def declare_torchvision_ops() -> bool:
    """Make a CUDA build of torchvision importable beside a CPU build of torch.

    PyPI has the CUDA build alone. Its compiled ops stay missing, and say so when they
    are called; images, transforms and models work.

    Returns:
        Whether there was such a pair, and the ops are declared now.
    """
    spec = find_spec('torchvision')
    if spec is None or spec.origin is None or torch.version.cuda is not None:
        return False
    version = Path(spec.origin).with_name('version.py')
    if not version.is_file() or '+cu' not in version.read_text(encoding='utf-8'):
        return False
    if not _declared:
        library = torch.library.Library('torchvision', 'DEF')
        for name in ('nms', 'qnms'):
            library.define(
                f'{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor'
            )
        _declared.append(library)  # the ops live as long as this object
    return True


def release_lock_of_failures() -> None:
    """Let mmengine's ``ManagerMixin`` give its lock back where it raises."""
    for name in ('get_instance', 'get_current_instance'):
        method = getattr(ManagerMixin, name).__func__
        setattr(ManagerMixin, name, classmethod(_releasing(method)))


def _releasing(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def released(cls: type, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(cls, *args, **kwargs)
        except BaseException:
            with contextlib.suppress(RuntimeError):  # an interrupt before it was taken
                _release_lock()
            raise

    return released


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


def quieten_libraries() -> None:
    """Silence warnings of mmseg's and mmengine's that no user can act on."""
    # Of their own code, and of choices that our configs make on purpose.
    for text in (
        '``build_loss`` would be deprecated',
        'Default ``avg_non_ignore`` is False',
        'The draw is False',
        'pkg_resources is deprecated',
    ):
        warnings.filterwarnings('ignore', message=text)
