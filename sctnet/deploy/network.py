"""The network that back ends run and files hold: images in, small logits out."""

import copy

from mmseg.models.segmentors import EncoderDecoder
from torch import Tensor, nn


class Network(nn.Module):
    """Normalised images (N, 3, H, W) to logits (N, K, h, w), for inference alone.

    Args:
        model: mmseg's encoder-decoder or ours; its backbone, neck and decode head are
            copied, so that a back end may convert them.
    """

    def __init__(self, model: EncoderDecoder) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(model.backbone)
        self.neck = copy.deepcopy(model.neck) if model.with_neck else nn.Identity()
        self.decode_head = copy.deepcopy(model.decode_head)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits at the decode head's own resolution."""
        return self.decode_head(self.neck(self.backbone(images)))
