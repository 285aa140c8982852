"""Data sets whose archives can be prepared: one module each, found by its name.

A module has a docstring, ``FOLDER`` below ``data``, and ``list_jobs(archives, root)``,
which returns what is to be written as a list of ``Job``.
"""

import importlib
import pkgutil
from types import ModuleType

DATASETS: dict[str, ModuleType] = {
    module.name: importlib.import_module(f'{__name__}.{module.name}')
    for module in pkgutil.iter_modules(__path__)
}
