"""Data sets whose archives can be prepared: one module each, found by its name.

To add one, put ``NAME.py`` here with a docstring, whose first line is its help; with
``FOLDER``, the data root below ``data``; and with what is to be written. Where it is
whole folders of the archives, this is ``FOLDERS``, ``EXPECTED`` and ``PAIRS``, as
``prepare.folders`` takes them; else ``list_jobs(archives, root)``, which returns a list
of ``Job`` (see ``prepare.archives``).
"""

import importlib
import pkgutil
from types import ModuleType

DATASETS: dict[str, ModuleType] = {
    module.name: importlib.import_module(f'{__name__}.{module.name}')
    for module in pkgutil.iter_modules(__path__)
}
