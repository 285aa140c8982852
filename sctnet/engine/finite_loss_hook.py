"""Stops a training whose loss is no longer a number."""

from collections.abc import MutableMapping
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor

from ..errors import TrainingError


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Raises at the first loss term that is infinite or not a number.

    It is the first hook that sees what an iteration returned, and brings all scalars of
    it to the CPU in one copy, for itself and for the hooks after it. So mmengine's log,
    which asks for the value of each, does not wait for a GPU again and again. It runs
    before the checkpoint hook, too, so that what was saved last stays the last: a
    checkpoint of sound weights.
    """

    priority = 'HIGHEST'

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: MutableMapping[str, Any] | None = None,
    ) -> None:
        """Look at every loss term of the iteration.

        Raises:
            TrainingError: one is not finite; names iteration, terms and files.
        """
        outputs = {} if outputs is None else outputs
        bring_to_cpu(outputs)
        wrong = {
            name: float(value)
            for name, value in outputs.items()
            if 'loss' in name and not torch.as_tensor(value).isfinite().all()
        }
        # The total says nothing that a term does not say better.
        terms = {k: v for k, v in wrong.items() if k != 'loss'} or wrong
        if terms:
            values = ', '.join(f'{name} is {value}' for name, value in terms.items())
            last = runner.message_hub.get_info('last_ckpt') or 'none was saved'
            raise TrainingError(
                f'the loss is not finite at iteration {runner.iter + 1}: {values}, on '
                f'{_files(data_batch)} (last good checkpoint: {last}): look at these '
                'files, lower the learning rate or clip gradients, then --resume'
            )


def bring_to_cpu(outputs: MutableMapping[str, Any]) -> None:
    """Replace the float scalars among ``outputs`` by equal ones on the CPU, detached.

    One copy brings them all; a widest type that holds each exactly is taken for it.
    """
    scalars = {
        name: value.detach().reshape(())
        for name, value in outputs.items()
        if isinstance(value, Tensor) and value.numel() == 1
        if value.is_floating_point()
    }
    if scalars:
        values = torch.stack(list(scalars.values())).cpu()
        for (name, scalar), value in zip(scalars.items(), values, strict=True):
            outputs[name] = value.to(scalar.dtype).reshape(outputs[name].shape)


def _files(data_batch: Any) -> str:
    batch = data_batch if isinstance(data_batch, dict) else {}
    samples = batch.get('data_samples', [])
    names = [str(getattr(sample, 'img_path', None)) for sample in samples]
    names = names or batch.get('img_path', [])
    return ', '.join(names) or 'an unknown batch'
