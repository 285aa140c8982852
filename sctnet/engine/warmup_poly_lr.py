"""The original's learning rate: poly decay times a linear warm-up, in one scheduler."""

from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmseg.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class WarmupPolyLR(LRSchedulerMixin, _ParamScheduler):
    """Poly decay that counts from iteration 0 and is multiplied by a linear warm-up.

    With p = i / ``max_iters``, the rate of a group with base rate b at iteration i is
    ((b - ``eta_min``) * (1 - p) ** ``power`` + ``eta_min``) * w, where w rises from
    ``warmup_factor`` to 1 in the first ``warmup_iters`` iterations. mmengine's LinearLR
    and PolyLR together come to the same for ``eta_min=0`` alone.

    Args:
        optimizer: its groups' learning rates are the base rates.
        max_iters: iteration at which ``eta_min`` is reached.
        warmup_iters: length of the warm-up.
        warmup_factor: what it starts from.
        power: of the decay.
        eta_min: the least rate after the warm-up, the same for every group.
        begin: no effect: it counts every iteration.
        end: no effect; the Runner adds one epoch where by_epoch is not False.
        by_epoch: no effect.
        last_step: as for mmengine's schedulers.
        verbose: as for mmengine's schedulers.
    """

    def __init__(
        self,
        optimizer: Any,
        *,
        max_iters: int,
        warmup_iters: int = 1500,
        warmup_factor: float = 1e-6,
        power: float = 1.0,
        eta_min: float = 0.0,
        begin: int = 0,
        end: int | None = None,
        by_epoch: bool = False,
        last_step: int = -1,
        verbose: bool = False,
    ) -> None:
        self.max_iters = max_iters
        self.warmup_iters = warmup_iters
        self.warmup_factor = warmup_factor
        self.power = power
        self.eta_min = eta_min
        super().__init__(
            optimizer, last_step=last_step, by_epoch=False, verbose=verbose
        )

    def _get_value(self) -> list[float]:
        i = self.last_step
        decay = max(1.0 - i / self.max_iters, 0.0) ** self.power
        warmup = 1.0
        if i < self.warmup_iters:
            warmup -= (1.0 - i / self.warmup_iters) * (1.0 - self.warmup_factor)
        return [
            ((base - self.eta_min) * decay + self.eta_min) * warmup
            for base in self.base_values
        ]
