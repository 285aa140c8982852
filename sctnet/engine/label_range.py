"""Which labels a model learns from, and which its evaluation counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from ..errors import ConfigError
from ..models.heads import heads_of, label_count
from .unwrap import unwrapped


@dataclass(frozen=True)
class LabelRange:
    """Labels 0 to ``count`` - 1, and those that are ``ignored``."""

    count: int
    ignored: tuple[int, ...] = (255,)


def learnt_labels(model: nn.Module) -> LabelRange | None:
    """Return what all heads of ``model`` take; None if it has none of mmseg's.

    Raises:
        ConfigError: label maps are padded with something else.
    """
    heads = list(_heads(model))
    if not heads:
        return None
    count = min(label_count(head) for head in heads)
    # None ignores nothing.
    ignored = [{getattr(head, 'ignore_index', 255)} - {None} for head in heads]
    labels = LabelRange(count, tuple(sorted(set.intersection(*ignored))))
    _check_padding(unwrapped(model), labels)
    return labels


def measured_labels(model: nn.Module, evaluator: Any) -> LabelRange | None:
    """Return what ``evaluator``, as a Runner has it, counts right for ``model``.

    A metric leaves its own ``ignore_index`` out. Any other label that is no class would
    be counted as a wrong prediction, without a word.
    """
    heads = list(_heads(model))
    if not heads:
        return None
    ignored = [{_ignored_by(metric)} for metric in _metrics(evaluator)] or [{255}]
    return LabelRange(label_count(heads[0]), tuple(sorted(set.intersection(*ignored))))


def _heads(model: nn.Module) -> Iterator[Any]:
    for head in heads_of(unwrapped(model)).values():
        if isinstance(getattr(head, 'num_classes', None), int):
            yield head


def _metrics(evaluator: Any) -> list[Any]:
    inner = evaluator.get('metrics') if isinstance(evaluator, dict) else None
    metrics = inner or getattr(evaluator, 'metrics', evaluator)
    if metrics is None:
        return []
    return list(metrics) if isinstance(metrics, list | tuple) else [metrics]


def _ignored_by(metric: Any) -> int:
    if isinstance(metric, dict):
        return metric.get('ignore_index', 255)
    return getattr(metric, 'ignore_index', 255)


def _check_padding(segmentor: Any, labels: LabelRange) -> None:
    preprocessor = getattr(segmentor, 'data_preprocessor', None)
    padding = getattr(preprocessor, 'seg_pad_val', None)
    pads = any(getattr(preprocessor, n, None) for n in ('size', 'size_divisor'))
    if padding is None or not pads or 0 <= padding < labels.count:
        return
    if padding not in labels.ignored:
        ignored = ' and '.join(map(str, labels.ignored)) or 'nothing'
        raise ConfigError(
            f'model.data_preprocessor.seg_pad_val={padding} pads label maps with what '
            f'is no class, and the heads ignore {ignored}: set it to the ignore_index '
            'of model.decode_head and model.auxiliary_head'
        )
