"""SCTNet-B as a classifier of 1000 classes."""

from mmpretrain.models import CrossEntropyLoss, LinearClsHead

from sctnet.models import SCTNet
from sctnet_pretraining.classifier import FeaturePooling, Preprocessor, SCTClassifier

model = dict(
    type=SCTClassifier,
    data_preprocessor=dict(
        type=Preprocessor,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    # A GPU's batch of 128 images needs no statistics of the others.
    backbone=dict(
        type=SCTNet, base_channels=64, dappm_channels=128, norm_cfg=dict(type='BN')
    ),
    neck=dict(type=FeaturePooling, base_channels=64),
    head=dict(
        type=LinearClsHead,
        in_channels=768,
        num_classes=1000,
        loss=dict(type=CrossEntropyLoss, loss_weight=1.0),
    ),
)
