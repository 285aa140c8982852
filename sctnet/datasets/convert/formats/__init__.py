"""The formats that can be converted: one module or package each, found by its name.

To add one, put ``NAME.py`` here (a package, if it has parts of its own) with

- a docstring: its first line, and all of it, are the help of the command;
- ``SOURCE``: in a few words, what the command's first argument names;
- ``read(source, **options)``: returns a
  :class:`~sctnet.datasets.convert.annotated_images.Source`. Its options are declared in
  ``options``, for all formats; its defaults are those of the command. What is annotated
  ``Path`` may be given as text.

- ``recognise(data, ask)``, where a folder or file shows by itself that it is of this
  form: returns a :class:`~sctnet.datasets.convert.recognised.Recognised`, or None.

A reader lists files and checks what holds for all of them; pixels are decoded and drawn
later, in threads, by the ``draw`` of each item. A reader of shapes begins with
``options.of_shapes`` and returns shapes from ``draw``, so that names are mapped before
they are painted. Classes that are asked for, splits, names, tiles, copies and the
summary are made by ``converter``.
"""

import importlib
import pkgutil
from types import ModuleType

FORMATS: dict[str, ModuleType] = {
    module.name: importlib.import_module(f'{__name__}.{module.name}')
    for module in pkgutil.iter_modules(__path__)
}
