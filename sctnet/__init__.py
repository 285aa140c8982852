"""SCTNet (Xu et al., AAAI 2024) for MMSegmentation 1.x and MMEngine.

Importing the package makes mmseg importable with mmcv-lite and makes checkpoint
loading safe; see :mod:`sctnet.compat`. Import it before mmseg.
"""

from .compat.gaps import (
    allow_own_checkpoint_types,
    declare_torchvision_ops,
    release_lock_of_failures,
    stand_in_for_missing_ops,
)

__version__ = '0.1.0'

stand_in_for_missing_ops()
declare_torchvision_ops()
allow_own_checkpoint_types()
release_lock_of_failures()

from .weights.mmengine_loaders import register_loaders  # noqa: E402  needs the stand-in

register_loaders()
