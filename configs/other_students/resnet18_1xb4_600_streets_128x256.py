"""ResNet-18 in SCTNet's place: the same teacher and alignments, another student."""

from mmengine.config import read_base
from mmseg.models.backbones import ResNetV1c

with read_base():
    from ..sctnet.sctnet_t_1xb4_600_streets_128x256 import *

model['backbone'] = dict(type=ResNetV1c, depth=18, norm_cfg=norm_cfg)
model.update(
    # ResNet's four stages have 64, 128, 256 and 512 channels, at 1/4 to 1/32.
    decode_head=dict(in_index=1, in_channels=128, channels=128),
    auxiliary_head=dict(in_index=2, in_channels=256),
    siam=dict(
        bfa=dict(
            stage3=dict(student_index=2, student_channels=256),
            stage4=dict(student_index=3, student_channels=512),
        ),
        sdha=dict(student_index=1, student_channels=128),
    ),
)
