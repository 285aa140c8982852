"""The original's learning rate: poly decay times a linear warm-up, in one scheduler."""

from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler
from mmseg.registry import PARAM_SCHEDULERS

from ..errors import ConfigError


@PARAM_SCHEDULERS.register_module()
class WarmupPolyLR(LRSchedulerMixin, _ParamScheduler):
    """Poly decay over the whole training, multiplied by a linear warm-up.

    With p = (i - ``begin``) / (``max_iters`` - ``begin``), the rate of a group with
    base rate b at iteration i is ((b - ``eta_min``) * (1 - p) ** ``power`` +
    ``eta_min``) * w, where w rises from ``warmup_factor`` to 1 in the first
    ``warmup_iters`` iterations from ``begin`` on. Before ``begin`` the rate is b.
    mmengine's LinearLR and PolyLR together come to the same for ``eta_min=0`` alone.

    Args:
        optimizer: its groups' learning rates are the base rates.
        max_iters: iteration at which ``eta_min`` is reached, and kept from then on; by
            default the length of the training.
        warmup_iters: length of the warm-up.
        warmup_factor: what it starts from.
        power: of the decay.
        eta_min: the least rate after the warm-up, the same for every group.
        begin: iteration at which it begins.
        end: what ``max_iters`` is where that is left out. mmengine's own Runner gives
            the length of the training here, if the config says ``by_epoch=False``; ours
            does so without.
        by_epoch: it counts iterations: False, or left out.
        last_step: as for mmengine's schedulers.
        verbose: as for mmengine's schedulers.

    Raises:
        ConfigError: there is no length, it ends before it begins, or ``by_epoch`` is
            True.
    """

    def __init__(
        self,
        optimizer: Any,
        *,
        max_iters: int | None = None,
        warmup_iters: int = 1500,
        warmup_factor: float = 1e-6,
        power: float = 1.0,
        eta_min: float = 0.0,
        begin: int = 0,
        end: int | None = None,
        by_epoch: bool | None = None,
        last_step: int = -1,
        verbose: bool = False,
    ) -> None:
        if by_epoch:
            raise ConfigError(
                'WarmupPolyLR counts iterations: take by_epoch=True out of '
                'param_scheduler'
            )
        if max_iters is None and by_epoch is None:  # then `end` may count epochs
            end = None
        length = end if max_iters is None else max_iters
        if length is None:
            raise ConfigError(
                'WarmupPolyLR has no length: give param_scheduler by_epoch=False, for '
                "the training's length, or max_iters"
            )
        if begin >= length:
            raise ConfigError(
                f'WarmupPolyLR begins at iteration {begin} and ends at {length}: let '
                'param_scheduler begin earlier'
            )
        self.max_iters = length
        self.warmup_iters = warmup_iters
        self.warmup_factor = warmup_factor
        self.power = power
        self.eta_min = eta_min
        # After max_iters it keeps the last rate, and so never ends.
        super().__init__(
            optimizer,
            begin=begin,
            end=INF,
            last_step=last_step,
            by_epoch=False,
            verbose=verbose,
        )

    def _get_value(self) -> list[float]:
        i = self.last_step  # from `begin` on
        decay = max(1.0 - i / (self.max_iters - self.begin), 0.0) ** self.power
        warmup = 1.0
        if i < self.warmup_iters:
            warmup -= (1.0 - i / self.warmup_iters) * (1.0 - self.warmup_factor)
        return [
            ((base - self.eta_min) * decay + self.eta_min) * warmup
            for base in self.base_values
        ]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on at the iteration of ``state_dict``; the schedule stays this one's.

        The optimizer's rates are set anew: where the schedule is another than that of
        the checkpoint, they are what it gives, as if the training had been planned so.
        """
        self._global_step = state_dict['_global_step']
        self.last_step = max(self._global_step - self.begin, -1)
        begun = self.last_step >= 0
        self._last_value = self._get_value() if begun else [*self.base_values]
        if not begun:  # another may schedule the rates until then
            return
        for group, value in zip(
            self.optimizer.param_groups, self._last_value, strict=True
        ):
            group['lr'] = value
