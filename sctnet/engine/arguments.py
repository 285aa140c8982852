"""Which arguments a class takes, itself and through what it passes on."""

import dis
import inspect
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

_COMPAT = Path(__file__).resolve().parents[1] / 'compat'


def arguments_of(cls: Callable) -> set[str] | None:
    """Return the arguments of a class and its bases; None where it takes any."""
    functions: list[Any] = [cls]
    if inspect.isclass(cls):
        inits = (vars(base).get('__init__') for base in cls.__mro__)
        functions = [init for init in inits if init is not None]
    names: set[str] = set()
    for function in functions:
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return None
        if hasattr(function, '__wrapped__') and not _is_ours(function):
            return None  # what wraps it may take others
        names |= {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return names - {'self'}
        # mmseg's IoUMetric, for one, takes any and passes none on.
        code = getattr(function, '__code__', None)
        (rest,) = (p.name for p in parameters if p.kind is p.VAR_KEYWORD)
        if code is None or not _reads(code, rest):
            return None
        # Names that it looks for among them.
        names |= {one for one in code.co_consts if isinstance(one, str)}
    return None


def truths_of(cls: Callable) -> set[str]:
    """Return the arguments whose default is True or False, of a class and its bases."""
    bases = cls.__mro__ if inspect.isclass(cls) else ()
    functions = [vars(base)['__init__'] for base in bases if '__init__' in vars(base)]
    found: set[str] = set()
    for function in functions or [cls]:
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            continue
        found |= {p.name for p in parameters if isinstance(p.default, bool)}
    return found


def required_of(cls: Callable) -> list[str]:
    """Return the arguments that a class cannot do without."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind not in kinds]


def _is_ours(function: Any) -> bool:
    code = getattr(function, '__code__', None)
    return code is not None and Path(code.co_filename).parent == _COMPAT


def _reads(code: CodeType, name: str) -> bool:
    """Whether a function's ``code`` reads its argument ``name``."""
    loads = (i.argval for i in dis.get_instructions(code) if 'LOAD' in i.opname)
    # Python 3.13 loads two at once.
    return any(name in (one if isinstance(one, tuple) else (one,)) for one in loads)
