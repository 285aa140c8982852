"""SCTNet-B: 64 base channels. A leaf sets crop size and number of classes."""

from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.models.losses import CrossEntropyLoss

from sctnet.models import SCTHead, SCTNet, SCTSegmentor

norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type=SCTSegmentor,
    data_preprocessor=dict(
        type=SegDataPreProcessor,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(type=SCTNet, base_channels=64, dappm_channels=128, norm_cfg=norm_cfg),
    decode_head=dict(
        type=SCTHead,
        in_index=3,  # fused
        in_channels=256,
        channels=256,
        norm_cfg=norm_cfg,
        loss_decode=dict(type=CrossEntropyLoss, loss_weight=1.0),
    ),
    auxiliary_head=dict(
        type=SCTHead,
        in_index=0,  # detail
        in_channels=128,
        channels=128,
        norm_cfg=norm_cfg,
        loss_decode=dict(type=CrossEntropyLoss, loss_weight=0.4),
    ),
    test_cfg=dict(mode='whole'),
)
