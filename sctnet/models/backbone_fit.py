"""Whether the other parts of a segmentor fit its backbone."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ..errors import ConfigError
from .heads import heads_of


def check_bands(segmentor: Any) -> None:
    """See that the data preprocessor has a mean and a std for each band.

    Raises:
        ConfigError: it does not, for a backbone that says its ``in_channels``.
    """
    bands = getattr(segmentor.backbone, 'in_channels', None)
    for name in ('mean', 'std'):
        values = getattr(segmentor.data_preprocessor, name, None)
        if not isinstance(values, Tensor) or type(bands) is not int:
            continue
        if values.numel() not in (1, bands):
            raise ConfigError(
                f'model.data_preprocessor.{name} has {values.numel()} values and the '
                f'backbone takes {bands} bands: give it one for each band'
            )


def check_indices(segmentor: Any) -> None:
    """See that every selected index is one of the backbone's ``out_indices``.

    A backbone that has no ``out_indices``, or a neck behind it, tells nothing.

    Raises:
        ConfigError: one is not; the message has its place in the config.
    """
    indices = getattr(segmentor.backbone, 'out_indices', None)
    if not isinstance(indices, list | tuple) or segmentor.with_neck:
        return
    for place, index in (*_of_heads(segmentor), *_of_siam(segmentor.siam)):
        if not -len(indices) <= index < len(indices):
            raise ConfigError(
                f'{place} is {index}, and the backbone returns {len(indices)} features '
                f'(out_indices={tuple(indices)}): set it to at most '
                f'{len(indices) - 1}, or add to model.backbone.out_indices'
            )


def _of_heads(segmentor: Any) -> Iterator[tuple[str, int]]:
    for name, head in heads_of(segmentor).items():
        selected = getattr(head, 'in_index', None)
        listed = selected if isinstance(selected, list | tuple) else [selected]
        for index in listed:
            if isinstance(index, int):
                yield f'model.{name}.in_index', index


def _of_siam(siam: Any) -> Iterator[tuple[str, int]]:
    if siam is None:
        return
    if siam.bfa is not None:
        for name, (index, _) in siam.bfa.indices.items():
            yield f'model.siam.bfa.{name}.student_index', index
    if siam.sdha is not None:
        yield 'model.siam.sdha.student_index', siam.sdha.student_index
