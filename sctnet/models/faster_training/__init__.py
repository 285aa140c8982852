"""Exact, cheaper ways to compute the training losses and the teacher.

The modules of :mod:`sctnet.models` say what is computed; these compute the same numbers
and gradients in less time and memory. ``model.train_cfg.shortcuts=False`` leaves them
out. Each has a ``supports_...`` that says which networks it knows; others take the
readable way.
"""
