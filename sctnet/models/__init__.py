"""The networks of SCTNet; importing registers them with mmseg's ``MODELS``."""

from .backbone import SCTNet, SCTNetFeatures
from .bfa import BackboneFeatureAlignment
from .cf_block import CFBlock, ConvAttention, ConvFFN
from .channel_wise_divergence import ChannelWiseDivergence
from .dappm import DAPPM
from .data_preprocessor import BatchDataPreProcessor
from .head import SCTHead
from .pixel_cross_entropy import PixelCrossEntropyLoss
from .sdha import SharedDecoderHeadAlignment
from .segmentor import SCTSegmentor
from .siam import SIAM
from .teacher import Teacher
from .teacher_features import TeacherFeatures

__all__ = [
    'DAPPM',
    'SIAM',
    'BackboneFeatureAlignment',
    'BatchDataPreProcessor',
    'CFBlock',
    'ChannelWiseDivergence',
    'ConvAttention',
    'ConvFFN',
    'PixelCrossEntropyLoss',
    'SCTHead',
    'SCTNet',
    'SCTNetFeatures',
    'SCTSegmentor',
    'SharedDecoderHeadAlignment',
    'Teacher',
    'TeacherFeatures',
]
