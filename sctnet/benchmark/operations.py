"""How many operations a call asks of its device: what a host-bound GPU waits for."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

# They set memory aside or look at it anew: no kernel runs.
ALLOCATIONS = (
    *('empty', 'empty_like', 'empty_permuted', 'empty_strided'),
    *('new_empty', 'new_empty_strided'),
)
UNDECLARED_VIEWS = ('_unsafe_view', '_reshape_alias')  # their schemas say nothing


def count_operations(call: Callable[[], object]) -> Counter[str]:
    """Count by name the operations of a call: forward, backward, optimizer and all.

    What torch's dispatcher sees below autograd and autocast counts, on any device.
    Views and allocations are left out. Fused optimizers and ``_foreach`` operations
    count once, however many tensors they take.
    """
    with _Counting() as counting:
        call()
    return counting.found


class _Counting(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Any,
        args: tuple = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name = func.__name__.split('.')[0]
        if not (name in ALLOCATIONS or name in UNDECLARED_VIEWS or _is_view(func)):
            self.found[name] += 1
        return func(*args, **(kwargs or {}))


def _is_view(func: OpOverload) -> bool:
    """Whether every output looks at an input's memory and nothing is written."""
    aliases = [result.alias_info for result in func._schema.returns]
    return bool(aliases) and all(a and not a.is_write for a in aliases)
