"""Few optimizer groups where mmengine makes one of every parameter."""

from collections.abc import Sequence
from typing import Any

from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn
from torch.optim import Optimizer

Group = dict[str, Any]


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class MergedOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """mmengine's constructor, with parameters of equal options in one group.

    An optimizer works through its groups one by one: with ``paramwise_cfg`` mmengine's
    own constructor makes as many as there are parameters, and a GPU starts a kernel or
    more for each. Takes the same ``paramwise_cfg``. Checkpoints of optimizers that
    mmengine's constructor built resume.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the optimizer of ``model`` and its wrapper."""
        self._parameters: list[nn.Parameter] = []
        wrapper = super().__call__(model)
        if self._parameters:
            accept_single_groups(wrapper.optimizer, self._parameters)
        return wrapper

    def add_params(
        self, params: list[Group], module: nn.Module, prefix: str = '', **kwargs: Any
    ) -> None:
        """Add the groups of ``module``; at the end, of the whole model, merge them."""
        super().add_params(params, module, prefix=prefix, **kwargs)
        if not prefix:
            self._parameters = [one for group in params for one in group['params']]
            params[:] = merge_groups(params)


def merge_groups(groups: Sequence[Group]) -> list[Group]:
    """Join groups that differ in their ``params`` alone; the first seen come first."""
    merged: dict[tuple, Group] = {}
    for group in groups:
        options = {key: value for key, value in group.items() if key != 'params'}
        known = merged.setdefault(
            tuple(sorted(options.items())), {**options, 'params': []}
        )
        known['params'] += group['params']
    return list(merged.values())


def accept_single_groups(
    optimizer: Optimizer, parameters: Sequence[nn.Parameter]
) -> None:
    """Let ``optimizer`` load states with one group a parameter, in their old order."""

    def merge(optimizer: Optimizer, state: Group) -> Group | None:
        saved = state['param_groups']
        if len(saved) != len(parameters) or len(saved) == len(optimizer.param_groups):
            return None
        of = {id(p): group for p, group in zip(parameters, saved, strict=True)}
        groups = []
        for group in optimizer.param_groups:
            members = [of[id(parameter)] for parameter in group['params']]
            numbers = [number for one in members for number in one['params']]
            groups.append({**members[0], 'params': numbers})
        return {**state, 'param_groups': groups}

    optimizer.register_load_state_dict_pre_hook(merge)
