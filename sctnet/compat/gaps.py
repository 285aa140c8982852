"""One function for each gap of the stack; the package's docstring says which there are.

Each is called by the import hook, may be called again, and imports what it needs.
"""

import contextlib
import functools
import pkgutil
import sys
import warnings
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from ..errors import PackageError

EXTENSION = 'mmcv._ext'
# Registries whose classes of ours are in sctnet.engine.
_OF_ENGINE = ('HOOKS', 'LOOPS', 'OPTIM_WRAPPERS', 'PARAM_SCHEDULERS')
_declared: list[Any] = []


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


def need_mmcv() -> None:
    """Say what to install where mmseg is imported without mmcv.

    Raises:
        PackageError: neither mmcv nor mmcv-lite is installed.
    """
    if find_spec('mmcv') is None:
        raise PackageError(
            'sctnet needs mmcv or mmcv-lite and found neither: run '
            '\'pip install "mmcv-lite>=2.0.1,<2.2"\''
        )


def stand_in_for_missing_ops() -> bool:
    """Make ``mmcv.ops`` importable with mmcv-lite; True if a stand-in is in place.

    With the full mmcv nothing is touched. mmengine's ``mmcv_full_available()`` keeps
    answering no, because the stand-in's spec has no loader.
    """
    if isinstance(sys.modules.get(EXTENSION), MissingOps):
        return True
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
    import torch

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


def restore_find_loader() -> None:
    """Give ``pkgutil`` back what mmengine and mmcv call, and Python 3.14 has not."""
    if not hasattr(pkgutil, 'find_loader'):
        pkgutil.find_loader = find_loader


def find_loader(fullname: str) -> Any:
    """Return the loader of a module, as ``pkgutil.find_loader`` did; None without one.

    Raises:
        ImportError: its package cannot be imported.
    """
    spec = find_spec(fullname)
    return None if spec is None else spec.loader


def name_checkpoint_types() -> None:
    """Name the harmless types in mmengine's checkpoints to torch's safe unpickler."""
    if find_spec('mmengine') is not None:
        from .checkpoint_types import allow_own_checkpoint_types

        allow_own_checkpoint_types()


def register_on_demand() -> None:
    """Let mmseg's registries import our parts when a name is first looked up.

    So a config of strings needs ``import sctnet`` alone.
    """
    from mmseg import registry

    for name, module in {
        'MODELS': 'sctnet.models',
        'DATASETS': 'sctnet.datasets.folder_dataset',
        'METRICS': 'sctnet.evaluation',
        **dict.fromkeys(_OF_ENGINE, 'sctnet.engine'),
    }.items():
        one = getattr(registry, name)
        if module not in one._locations:
            one._locations.append(module)
            one._imported = False


def keep_logits_to_average() -> None:
    """Tell a segmentor inside a test-time augmentation that its logits are wanted."""
    from mmengine.model.test_time_aug import BaseTTAModel

    build = BaseTTAModel.__init__
    if hasattr(build, '__wrapped__'):
        return

    @functools.wraps(build)
    def build_and_tell(self: Any, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        self.module.logits_are_averaged = True

    BaseTTAModel.__init__ = build_and_tell


def release_lock_of_failures() -> None:
    """Let mmengine's ``ManagerMixin`` give its lock back where it raises."""
    from mmengine.utils.manager import ManagerMixin

    for name in ('get_instance', 'get_current_instance'):
        method = getattr(ManagerMixin, name).__func__
        setattr(ManagerMixin, name, classmethod(_releasing(method)))


def _releasing(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def released(cls: type, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(cls, *args, **kwargs)
        except BaseException:
            from mmengine.utils.manager import _release_lock

            with contextlib.suppress(RuntimeError):  # an interrupt before it was taken
                _release_lock()
            raise

    return released


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
