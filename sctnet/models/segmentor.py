"""The SCTNet segmentor: mmseg's encoder-decoder that opens the original's weights."""

import logging
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from torch import Tensor

from ..key_map import HEAD_NAMES, SIAM_NAMES, TRAINING_ONLY, rename_weights
from ..mismatch import check_weights
from .backbone import SCTNet
from .head import SCTHead


@MODELS.register_module()
class SCTSegmentor(EncoderDecoder):
    """Backbone, decode head and, while it trains, an auxiliary head.

    Takes mmseg's ``EncoderDecoder`` arguments and follows its contract: ``loss``,
    ``predict`` and ``tensor`` modes on (N, 3, H, W) batches. It differs in what it
    loads: weights under the original's names, with or without the training-only parts,
    and nothing that fits only in part.
    """

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load weights under our names or the original's.

        Args:
            state_dict: parameter name to tensor.
            strict: False leaves the comparison to the caller, as in torch: the result
                lists missing and unexpected keys.
            assign: as in torch.

        Raises:
            CheckpointError: with ``strict``, names or shapes do not fit.
        """
        self._check_on_load = strict
        try:
            return super().load_state_dict(state_dict, strict=strict, assign=assign)
        finally:
            del self._check_on_load

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any
    ) -> None:
        # mmengine's loader does not call load_state_dict, but it does call this.
        self._adapt(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _adapt(self, state_dict: dict[str, Tensor], prefix: str) -> None:
        self._rename(state_dict, prefix)
        own = self.state_dict()
        self._settle_training_only(state_dict, prefix, own)
        if getattr(self, '_check_on_load', True) and isinstance(self.backbone, SCTNet):
            weights = {
                key[len(prefix) :]: value
                for key, value in state_dict.items()
                if key.startswith(prefix)
            }
            check_weights(own, weights, self.backbone.base_channels)

    def _rename(self, state_dict: dict[str, Tensor], prefix: str) -> None:
        if isinstance(self.backbone, SCTNet):
            self.backbone.rename_weights(state_dict, f'{prefix}backbone.')
        if isinstance(self.decode_head, SCTHead):
            rename_weights(state_dict, f'{prefix}decode_head.', HEAD_NAMES)
            auxiliary = {f'0.{old}': new for old, new in HEAD_NAMES.items()}
            siam = {f'1.{old}': new for old, new in SIAM_NAMES.items()}
            rename_weights(
                state_dict, f'{prefix}auxiliary_head.', {**auxiliary, **siam}
            )

    def _settle_training_only(
        self, state_dict: dict[str, Tensor], prefix: str, own: Mapping[str, Tensor]
    ) -> None:
        """Drop parts this model lacks; keep its own where the file has none of them."""
        for part in TRAINING_ONLY:
            wanted = {k: v for k, v in own.items() if k.startswith(part)}
            found = [k for k in state_dict if k.startswith(prefix + part)]
            if not wanted:
                for key in found:
                    del state_dict[key]
            elif not found:
                state_dict.update({prefix + k: v for k, v in wanted.items()})
                print_log(
                    f'{part[:-1]} is not in the checkpoint and keeps its initial '
                    'weights; only training uses it',
                    logger='current',
                    level=logging.INFO,
                )
