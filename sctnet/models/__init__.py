"""The networks of SCTNet; importing registers them with mmseg's ``MODELS``."""

from .backbone import SCTNet, SCTNetFeatures
from .backbone_feature_alignment import BackboneFeatureAlignment
from .cf_block import CFBlock, ConvAttention, ConvFFN
from .channel_wise_divergence import ChannelWiseDivergence
from .dappm import DAPPM
from .head import SCTHead
from .pixel_cross_entropy import PixelCrossEntropyLoss
from .segmentor import SCTSegmentor
from .shared_decoder_head_alignment import SharedDecoderHeadAlignment
from .siam import SIAM
from .teacher import Teacher, TeacherFeatures

__all__ = [
    'DAPPM',
    'SIAM',
    'BackboneFeatureAlignment',
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
