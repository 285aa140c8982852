"""Keeps parts of a model as they are for the first iterations of a training."""

import difflib
from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import nn

from ..errors import ConfigError


@HOOKS.register_module()
class FreezeHook(Hook):
    """Freezes parts of the model for the first iterations, then trains them too.

    A frozen part has no gradients, so that neither the optimizer's step nor its weight
    decay moves it, and stays in eval mode: its norms use and keep their statistics. The
    optimizer may be built over all parameters. What is frozen depends on the iteration
    alone, so that a training resumes exactly.

    For good, ``model.backbone.frozen_stages`` freezes.

    Args:
        iterations: how many are trained with the parts frozen, 1 or more.
        parts: dotted names of modules of the model, such as ``backbone`` or
            ``backbone.stem``.

    Raises:
        ConfigError: ``iterations`` is no number from 1 up, or ``parts`` no names.
    """

    def __init__(
        self, iterations: int, parts: str | Sequence[str] = ('backbone',)
    ) -> None:
        if type(iterations) is not int or iterations < 1:
            raise ConfigError(
                f"FreezeHook's iterations is {iterations!r}: set it to a whole number "
                'from 1 up, or leave the hook out'
            )
        named = [parts] if isinstance(parts, str) else parts
        if not isinstance(named, list | tuple) or not named:
            raise ConfigError(
                f"FreezeHook's parts is {parts!r}: set it to names of modules, such as "
                "['backbone']"
            )
        self.iterations = iterations
        self.parts = list(named)
        self._modules: list[nn.Module] = []
        self._frozen: list[nn.Parameter] = []

    def before_train(self, runner: Runner) -> None:
        """Freeze the parts, unless the training is resumed beyond that.

        Raises:
            ConfigError: the model has no such part, nothing else is left to train, or
                several processes train and DDP is not told of unused parameters.
        """
        self._modules, self._frozen = [], []
        if runner.iter >= self.iterations:
            return
        wrapped = is_model_wrapper(runner.model)
        model = runner.model.module if wrapped else runner.model
        self._modules = [_find(model, part) for part in self.parts]
        parameters = [p for module in self._modules for p in module.parameters()]
        self._frozen = [p for p in parameters if p.requires_grad]
        for parameter in self._frozen:
            parameter.requires_grad_(False)
        if not any(p.requires_grad for p in model.parameters()):
            raise ConfigError(
                f"FreezeHook's parts {self.parts} are all that could be trained: leave "
                'some out'
            )
        if wrapped and not getattr(runner.model, 'find_unused_parameters', True):
            raise ConfigError(
                'FreezeHook trains some parameters later than others, which several '
                'processes must be told: set find_unused_parameters=True in the config'
            )
        runner.logger.info(
            f'{", ".join(self.parts)}: frozen until iteration {self.iterations} '
            f'({len(self._frozen)} parameters)'
        )

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Keep the parts in eval mode, or let go of them when their time has come."""
        if not self._modules:
            return
        if runner.iter < self.iterations:
            for module in self._modules:
                module.eval()
            return
        for parameter in self._frozen:
            parameter.requires_grad_(True)
        self._modules, self._frozen = [], []
        runner.model.train()  # all but what is frozen for good
        runner.logger.info(f'{", ".join(self.parts)}: trained from here on')

    def after_train(self, runner: Runner) -> None:
        """Let go of the parts where the training ends before their time."""
        for parameter in self._frozen:
            parameter.requires_grad_(True)


def _find(model: nn.Module, name: str) -> nn.Module:
    modules = dict(model.named_modules())
    if not name or name not in modules:
        depth = name.count('.') + 1
        known = [key for key in modules if key and key.count('.') < depth]
        near = difflib.get_close_matches(name, known, n=1)
        some = [key for key in modules if key and '.' not in key]
        hint = f"did you mean '{near[0]}'?" if near else f'name some of {some}'
        raise ConfigError(f"FreezeHook: the model has no part '{name}': {hint}")
    return modules[name]
