"""What every network shares, student or teacher: its norms and its normalised image."""

from sctnet.models import BatchDataPreProcessor

norm_cfg = dict(type='SyncBN', requires_grad=True)
preprocessor = dict(
    type=BatchDataPreProcessor,
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
)
