"""The networks of SCTNet; importing registers them with mmseg's ``MODELS``."""

from .backbone import SCTNet, SCTNetFeatures
from .cf_block import CFBlock, ConvAttention, ConvFFN
from .dappm import DAPPM
from .head import SCTHead
from .segmentor import SCTSegmentor

__all__ = [
    'DAPPM',
    'CFBlock',
    'ConvAttention',
    'ConvFFN',
    'SCTHead',
    'SCTNet',
    'SCTNetFeatures',
    'SCTSegmentor',
]
