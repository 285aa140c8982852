"""A training step's losses and the teacher, computed in other orders than they read.

:mod:`sctnet.models` says what is computed; the modules here compute the same numbers
and gradients in less time and memory. ``model.train_cfg.fused=False`` leaves them out.
"""
