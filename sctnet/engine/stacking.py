"""Which loaders stack their batches for the model's data preprocessor."""

from typing import Any

import torch
from torch import nn

from ..datasets.collate import stack_samples
from ..models import BatchDataPreProcessor
from .unwrap import unwrapped


def stacking(dataloader: Any, model: nn.Module) -> Any:
    """Let ``dataloader``, the config of one, stack and pin what ``model`` takes so.

    That is a model with a :class:`BatchDataPreProcessor`. What the config says of
    ``collate_fn`` and ``pin_memory`` itself stays. A loader that is built is returned
    as it is.
    """
    if not isinstance(dataloader, dict):
        return dataloader
    options: dict[str, Any] = {'pin_memory': torch.cuda.is_available()}
    if isinstance(
        getattr(unwrapped(model), 'data_preprocessor', None), BatchDataPreProcessor
    ):
        options['collate_fn'] = stack_samples
    return {**options, **dataloader}
