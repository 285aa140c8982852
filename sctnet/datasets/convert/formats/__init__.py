"""The formats that can be converted: one module each, found by its name.

A module has a docstring, which is its help; ``SOURCE``, in words what it reads;
``add_arguments(parser)``; and ``read(source, **options)``, which takes what these
arguments set and returns a :class:`~sctnet.datasets.convert.annotated_images.Source`.
"""

import importlib
import pkgutil
from types import ModuleType

FORMATS: dict[str, ModuleType] = {
    module.name: importlib.import_module(f'{__name__}.{module.name}')
    for module in pkgutil.iter_modules(__path__)
}
