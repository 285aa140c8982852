"""What all batches of a frozen teacher have in common, computed once.

Under autocast the weights of its layers are cast once, not in every iteration; the
norms of a SegFormer's decoder are folded into its convolutions.
"""

import copy
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from .cast_weights import PLAIN_LAYERS, autocast_dtype
from .shared_decoder import FoldedDecoder, supports_decoder

# Those whose direct parameters autocast casts.
_LAYERS = (*PLAIN_LAYERS, nn.MultiheadAttention, NonDynamicallyQuantizableLinear)


class PreparedTeacher(NamedTuple):
    """The parts of a teacher, ready for batches in one precision."""

    backbone: nn.Module
    decoder: FoldedDecoder | None  # where its norms can be folded


class TeacherPreparations:
    """Prepares a teacher's segmentor for the precisions that it is asked in.

    Prepares it anew once its weights have changed. Copies and pickles hold nothing.
    """

    def __init__(self) -> None:
        self._made: dict[torch.dtype | None, PreparedTeacher] = {}
        self._state: Any = None

    def __reduce__(self) -> tuple[type, tuple]:
        return TeacherPreparations, ()

    def prepare(self, segmentor: nn.Module, device: str) -> PreparedTeacher:
        """Return the parts of ``segmentor``, cast as autocast on ``device`` would."""
        tensors = [*segmentor.parameters(), *segmentor.buffers()]
        first, changes = tensors[0], sum(tensor._version for tensor in tensors)
        state = (id(segmentor), first.dtype, first.device, first.data_ptr(), changes)
        if state != self._state:
            self._state, self._made = state, {}
        dtype = autocast_dtype(device)
        if dtype not in self._made:
            with torch.inference_mode(False), torch.no_grad():
                self._made[dtype] = _prepare(segmentor, dtype)
        return self._made[dtype]


def _prepare(segmentor: Any, dtype: torch.dtype | None) -> PreparedTeacher:
    backbone, head = segmentor.backbone, segmentor.decode_head
    cast_head = head
    if dtype is not None:
        backbone, cast_head = (
            _cast(copy.deepcopy(part), dtype) for part in (backbone, head)
        )
    folds = supports_decoder(head)
    return PreparedTeacher(backbone, FoldedDecoder(head, cast_head) if folds else None)


def _cast(part: nn.Module, dtype: torch.dtype) -> nn.Module:
    for layer in part.modules():
        if type(layer) in _LAYERS:
            for name, parameter in list(layer.named_parameters(recurse=False)):
                if parameter.dtype == torch.float32:
                    half = nn.Parameter(parameter.to(dtype), requires_grad=False)
                    setattr(layer, name, half)
    return part
