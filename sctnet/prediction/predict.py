"""Results from small logits: which models allow it, and filling a data sample."""

from collections.abc import Sequence
from typing import Any

from mmengine.structures import PixelData
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import BaseSegmentor, EncoderDecoder
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ..errors import ArgumentError
from . import label_map as maps
from .label_map import Geometry

NEEDS_FULL_LOGITS = (
    'only a plain encoder-decoder can be exported or run by a runtime: one with '
    "test_cfg.mode='whole', more than one output channel, align_corners=False and no "
    'prediction code of its own; change the config, or take '
    "backend='torch' without options of its own"
)


def small_logits_suffice(
    model: BaseSegmentor, samples: Sequence[SegDataSample]
) -> bool:
    """Whether the label maps of ``samples`` may come from the small logits.

    Not where the config says ``test_cfg.shortcuts=False`` (``fused`` in older configs)
    or ``mode='slide'``, the head has one output channel or its own way to predict, the
    model is inside a test-time augmentation (which averages full-size logits), or an
    image may be flipped, which mmseg undoes.
    """
    if not isinstance(model, EncoderDecoder) or _overrides(
        *(model, EncoderDecoder, 'extract_feat', 'encode_decode', 'inference'),
        *('whole_inference', 'postprocess_result'),
    ):
        return False
    test_cfg = model.test_cfg or {}
    return (
        test_cfg.get('shortcuts', test_cfg.get('fused', True))
        and not getattr(model, 'logits_are_averaged', False)
        and test_cfg.get('mode', 'whole') == 'whole'
        and not _overrides(
            model.decode_head, BaseDecodeHead, 'predict', 'predict_by_feat'
        )
        and model.out_channels > 1
        and not model.align_corners
        and not any('flip' in sample.metainfo for sample in samples)
    )


def _overrides(part: nn.Module, base: type, *methods: str) -> bool:
    """Whether a subclass of mmseg's ``base`` has its own way to predict."""
    return any(getattr(type(part), m) is not getattr(base, m) for m in methods)


def network_logits(model: EncoderDecoder, images: Tensor) -> Tensor:
    """Map normalised images (N, 3, H, W) to the network's logits (N, K, h, w)."""
    return model.decode_head(model.extract_feat(images))


def whole_labels(samples: list[SegDataSample]) -> list[SegDataSample]:
    """Return ``samples`` with whole numbers for labels: mmseg's may be floats."""
    for sample in samples:
        labels = sample.pred_sem_seg
        if labels.data.is_floating_point():
            labels.data = labels.data.long()
    return samples


def geometry_of(meta: dict[str, Any], network: Sequence[int]) -> Geometry:
    """Read the geometry of an image from mmseg's metainfo."""
    padding = meta.get('img_padding_size', meta.get('padding_size', (0, 0, 0, 0)))
    height, width = meta['ori_shape'][:2]
    return Geometry((network[0], network[1]), tuple(padding), (height, width))


def fill_sample(
    sample: SegDataSample,
    logits: Tensor,
    network: Sequence[int],
    *,
    full_logits: bool = False,
    confidence: bool = False,
    top_k: int = 0,
    threads: int | None = None,
) -> SegDataSample:
    """Put what is asked for into ``sample``, at its image's own size.

    Args:
        sample: metainfo with ``ori_shape``, and the padding if there is any.
        logits: (K, h, w), the network's.
        network: (height, width) of the network's input.
        full_logits: add ``seg_logits`` (K, H, W).
        confidence: add ``confidence`` (1, H, W), the winner's probability.
        top_k: add the best so many classes, ``top_k_labels`` and ``top_k_scores``
            (top_k, H, W), best first.
        threads: for the label map on a CPU; torch's number by default.

    Returns:
        The sample, with ``pred_sem_seg`` (1, H, W).

    Raises:
        ArgumentError: ``top_k`` is negative.
    """
    if type(top_k) is not int or top_k < 0:
        raise ArgumentError(f'top_k is {top_k}: expected 0 or a number of classes')
    geometry = geometry_of(sample.metainfo, network)
    labels = maps.label_map(logits, geometry, threads=threads)
    data = {'pred_sem_seg': labels[None]}
    if full_logits or confidence or top_k:
        full = maps.full_logits(logits, geometry)
    if full_logits:
        data['seg_logits'] = full
    if confidence or top_k:
        scores = maps.probabilities(full)
    if confidence:
        data['confidence'] = scores.amax(dim=0, keepdim=True)
    if top_k:
        best = scores.topk(min(top_k, len(logits)), dim=0)
        data['top_k_labels'], data['top_k_scores'] = best.indices, best.values
    sample.set_data({key: PixelData(data=value) for key, value in data.items()})
    return sample
