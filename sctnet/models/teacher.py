"""The frozen network that SIAM aligns a student with: any segmentor of mmseg's."""

from collections.abc import Callable
from typing import Any

import torch
from mmengine.model import revert_sync_batchnorm
from mmseg.models.decode_heads import FCNHead, SegformerHead
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.utils import SampleList
from torch import Tensor, nn

from ..errors import ConfigError
from ..weights.bands import first_bands
from .faster_training.cast_weights import autocast_dtype
from .faster_training.mix_transformer import run_any_backbone, supports_backbone
from .faster_training.prepared_teacher import PreparedTeacher, TeacherPreparations
from .faster_training.replayed_teacher import TeacherReplays
from .faster_training.shared_decoder import decode_stages
from .half_precision import HALF, half_precision
from .teacher_features import Decoded, MergedFeatures, TeacherFeatures


class Teacher(nn.Module):
    """A segmentor that is frozen, stays in eval mode and shows its inner features.

    Args:
        segmentor: any encoder-decoder of mmseg's. One with a ``SegformerHead`` or an
            ``FCNHead`` can share its decoder; others can align stages only.
        dataset_meta: ``classes`` and ``palette`` that it was trained on, if known.
        dtype: ``bf16`` or ``fp16`` computes its features by autocast to that, with
            weights and the statistics that SIAM takes in float32; None computes them as
            the student's are.
        compile: compile its backbone with ``torch.compile``: minutes at first.
        graph: record what it starts on a GPU for each size of crop, and replay it. By
            default a SegFormer's, once a size has come three times, of four sizes; the
            first replays are compared with runs.

    Raises:
        ConfigError: ``segmentor`` has no backbone and decode head, or there is no such
            ``dtype``.
    """

    def __init__(
        self,
        segmentor: nn.Module,
        dataset_meta: dict[str, Any] | None = None,
        dtype: str | None = None,
        compile: bool = False,
        graph: bool | None = None,
    ) -> None:
        super().__init__()
        self.dataset_meta = dataset_meta or {}
        if dtype not in (None, *HALF):
            raise ConfigError(
                f"the teacher's dtype is '{dtype}': expected {' or '.join(HALF)}, or "
                'None for that of the student'
            )
        self.dtype = dtype
        self._backbone_call = (
            torch.compile(run_any_backbone) if compile else run_any_backbone
        )
        if not isinstance(segmentor, EncoderDecoder):
            raise ConfigError(
                f'a {type(segmentor).__name__} cannot teach: expected a segmentor with '
                "backbone and decode_head, such as mmseg's EncoderDecoder"
            )
        self._graph, self._compiled = graph, compile
        self._replays = TeacherReplays()
        self._preparations = TeacherPreparations()
        # Its norms only ever run on their statistics; SyncBN would want a GPU for it.
        self.segmentor = revert_sync_batchnorm(segmentor)
        self.requires_grad_(False)
        super().train(False)

    def train(self, mode: bool = True) -> 'Teacher':
        """Stay in eval mode, whatever is asked."""
        return self

    @property
    def num_classes(self) -> int:
        """Number of classes K of its logits."""
        return self.segmentor.num_classes

    @property
    def out_channels(self) -> int:
        """Number of channels of its logits: K, or 1 that tells two labels apart."""
        return self.segmentor.out_channels

    @property
    def bands(self) -> int:
        """Number of bands of the images that it takes."""
        return first_bands(self.segmentor.backbone)

    @property
    def shares_decoder(self) -> bool:
        """Whether a student's features can go through its decoder."""
        # Heads derived from these may do more, such as FCNHead's with attention.
        forward = type(self.segmentor.decode_head).forward
        return forward in (SegformerHead.forward, FCNHead.forward)

    @property
    def merged_channels(self) -> int:
        """Channels of the map that its decoder takes."""
        head = self.segmentor.decode_head
        if isinstance(head, SegformerHead):
            return head.fusion_conv.in_channels
        return head.in_channels

    @torch.no_grad()
    def stage_channels(self) -> list[int]:
        """Channels of each map that its backbone returns."""
        weight = next(self.parameters())
        image = weight.new_zeros(1, self.bands, 64, 64)
        stages = run_any_backbone(self.segmentor.backbone, image, True)
        return [stage.shape[1] for stage in stages]

    @torch.no_grad()
    def forward(
        self, image: Tensor, decode: bool = True, shortcuts: bool = True
    ) -> TeacherFeatures:
        """Compute the features of a normalised image batch (N, 3, H, W).

        Args:
            image: the student's batch.
            decode: False leaves the decode head out, for alignment of stages alone.
            shortcuts: False runs mmseg's own code.

        On a GPU the features may hold until the next batch of the same size alone:
        go backward before that.
        """
        kind = image.device.type
        if self._graph and kind != 'cuda':
            raise ConfigError(
                f"the teacher's graph=True needs a GPU but the device is "
                f"'{image.device}': drop it (custom_hooks: DistillationHook, graph)"
            )
        with half_precision(self.dtype, image.device):
            parts = self._parts(image, shortcuts)

            def run(batch: Tensor) -> TeacherFeatures:
                return self._compute(self._backbone_call, batch, decode, parts)

            if not (self._graph or self._may_replay(image, decode, parts)):
                return run(image)
            way = decode, shortcuts, autocast_dtype(kind)
            prepared = parts or self._preparations.prepare(self.segmentor, kind)
            return self._replays(run, image, way, prepared, always=bool(self._graph))

    def _parts(self, image: Tensor, shortcuts: bool) -> PreparedTeacher | None:
        """Return what the short cuts compute with; None for mmseg's own code."""
        kind = image.device.type
        return self._preparations.prepare(self.segmentor, kind) if shortcuts else None

    def _may_replay(
        self, image: Tensor, decode: bool, parts: PreparedTeacher | None
    ) -> bool:
        """Whether nothing that runs is known to wait for the GPU."""
        return (
            self._graph is None
            and image.device.type == 'cuda'
            and parts is not None
            and supports_backbone(parts.backbone)
            and (parts.decoder is not None or not decode)
            and not self._compiled
            and not torch.is_inference_mode_enabled()
        )

    @torch.no_grad()
    def rounding(self, image: Tensor) -> dict[str, float]:
        """Compare half precision with the image's own, on a normalised batch.

        Returns:
            Relative error (of the norms) of each stage and, where a decoder is shared,
            of the logits; and ``labels``, the share of pixels whose label stays.
        """

        def compute() -> TeacherFeatures:  # not compiled, for images of any size
            parts = self._parts(image, True)
            return self._compute(run_any_backbone, image, self.shares_decoder, parts)

        with half_precision(self.dtype, image.device):
            ours = compute()
        exact = compute()
        stages = zip(ours.stages, exact.stages, strict=True)
        found = {f'stage {i}': _error(a, b) for i, (a, b) in enumerate(stages, start=1)}
        if ours.decoded is not None and exact.decoded is not None:
            logits = ours.decoded.logits, exact.decoded.logits
            found['logits'] = _error(*logits)
            a, b = (x.argmax(dim=1) for x in logits)
            found['labels'] = float((a == b).float().mean())
        return found

    def _compute(
        self,
        run: Callable[..., tuple[Tensor, ...]],
        image: Tensor,
        decode: bool,
        parts: PreparedTeacher | None,
    ) -> TeacherFeatures:
        backbone, decoder = parts or (self.segmentor.backbone, None)
        stages = run(backbone, image, parts is not None)
        if not decode:
            return TeacherFeatures(stages, None)
        maps = self.segmentor.neck(stages) if self.segmentor.with_neck else stages
        if decoder is not None:
            return decode_stages(decoder, maps, stages)
        merged = self._merge(maps)
        return MergedFeatures(stages, self.decode(merged), merged, self.decode)

    @torch.no_grad()
    def predict(self, image: Tensor, data_samples: SampleList) -> SampleList:
        """Segment a normalised image batch (N, 3, H, W) as mmseg's ``predict`` does."""
        with half_precision(self.dtype, image.device):
            return self.segmentor.predict(image, data_samples)

    def decode(self, merged: Tensor) -> Decoded:
        """Map merged features (N, C, h, w) to decoded features and logits.

        Gradients flow through it to ``merged``; its own weights are frozen.
        """
        head = self.segmentor.decode_head
        if isinstance(head, SegformerHead):
            features = head.fusion_conv(merged)
        else:
            features = head.convs(merged)
            if head.concat_input:
                features = head.conv_cat(torch.cat([merged, features], dim=1))
        return Decoded(features, head.cls_seg(features))

    def _merge(self, features: tuple[Tensor, ...]) -> Tensor:
        head = self.segmentor.decode_head
        inputs = head._transform_inputs(features)
        if not isinstance(head, SegformerHead):
            return inputs
        projected = [
            resize(
                conv(x),
                size=inputs[0].shape[2:],
                mode=head.interpolate_mode,
                align_corners=head.align_corners,
            )
            for conv, x in zip(head.convs, inputs, strict=True)
        ]
        return torch.cat(projected, dim=1)


def _error(ours: Tensor, exact: Tensor) -> float:
    return float((ours.float() - exact.float()).norm() / exact.float().norm())
