"""SCTNet (Xu et al., AAAI 2024) for MMSegmentation 1.x and MMEngine.

Importing the package makes mmseg importable with mmcv-lite and makes checkpoint
loading safe; see :mod:`sctnet.compat`. Import it before mmseg.
"""

from .compat import prepare_environment

__version__ = '0.1.0'

prepare_environment()
