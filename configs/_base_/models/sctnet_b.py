"""SCTNet-B: 64 base channels. A leaf sets crop size and number of classes."""

from mmengine.config import read_base

from sctnet.models import SIAM, PixelCrossEntropyLoss, SCTHead, SCTNet, SCTSegmentor

with read_base():
    from .common import *

model = dict(
    type=SCTSegmentor,
    data_preprocessor=preprocessor,
    backbone=dict(type=SCTNet, base_channels=64, dappm_channels=128, norm_cfg=norm_cfg),
    decode_head=dict(
        type=SCTHead,
        in_index=3,  # fused
        in_channels=256,
        channels=256,
        norm_cfg=norm_cfg,
        loss_decode=dict(type=PixelCrossEntropyLoss, loss_weight=1.0),
    ),
    auxiliary_head=dict(
        type=SCTHead,
        in_index=0,  # detail
        in_channels=128,
        channels=128,
        norm_cfg=norm_cfg,
        loss_decode=dict(type=PixelCrossEntropyLoss, loss_weight=0.4),
    ),
    # The teacher's side fits every SegFormer from B1 up.
    siam=dict(
        type=SIAM,
        bfa=dict(
            stage3=dict(
                student_index=1,
                student_channels=256,
                teacher_index=2,
                teacher_channels=320,
            ),
            stage4=dict(
                student_index=2,
                student_channels=512,
                teacher_index=3,
                teacher_channels=512,
            ),
        ),
        sdha=dict(student_index=3, student_channels=256, merged_channels=1024),
        loss_weights=dict(
            bfa_stage3=15.0, bfa_stage4=15.0, sdha_feature=15.0, sdha_logits=3.0
        ),
    ),
    test_cfg=dict(mode='whole'),
)
