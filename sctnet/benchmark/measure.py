"""Times of several calls in turns, so that all share the machine's state; counts."""

import copy
import time
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..weights.bands import first_bands

Call = Callable[[], object]


def waiter(device: str) -> Call:
    """Return what waits until ``device`` has done everything that was asked of it."""
    return torch.cuda.synchronize if device.startswith('cuda') else lambda: None


def alternate(
    calls: Mapping[str, Call],
    repeats: int,
    warmup: int,
    pause: float = 0.05,
    wait: Call = lambda: None,
    after: Callable[[str], None] = lambda name: None,
) -> dict[str, list[float]]:
    """Time calls in rounds: each once a round, in the same order.

    Before every timed call come a pause and an untimed call. Worker threads of ONNX
    Runtime and OpenMP spin for a while after a call and take the cores from the next
    contender, whose own threads and caches must be awake in turn: without the two,
    figures are up to 30 % off.

    Args:
        calls: name to what is timed.
        repeats: timed calls of each.
        warmup: rounds of untimed calls before.
        pause: seconds before each turn.
        wait: for the device, before and after a timed call.
        after: told the name after each timed call.

    Returns:
        The seconds of each call, by name.
    """
    for _ in range(warmup):
        for call in calls.values():
            call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            time.sleep(pause)
            call()
            wait()
            start = time.perf_counter()
            call()
            wait()
            seconds[name].append(time.perf_counter() - start)
            after(name)
    return seconds


def count_flops(network: nn.Module, size: tuple[int, int]) -> int:
    """Count floating-point operations for one image (1, C, H, W), 2 a multiply-add.

    Convolutions and matrix products count; norms, activations, pooling and upsampling
    (to the input size too) do not.
    """
    network = copy.deepcopy(network).to('meta')  # shapes alone, nothing is computed
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, first_bands(network), *size, device='meta'))
    return counter.get_total_flops()


def count_parameters(network: nn.Module) -> int:
    """Count the parameters that an output depends on, its norms' included.

    Some peers' heads hold layers that only training uses; these are left out.
    """
    network = copy.deepcopy(network).to('meta').requires_grad_(True)
    parameters = list(network.parameters())
    output = network(torch.zeros(1, first_bands(network), 128, 256, device='meta'))
    gradients = torch.autograd.grad(output.sum(), parameters, allow_unused=True)
    pairs = zip(parameters, gradients, strict=True)
    return sum(p.numel() for p, gradient in pairs if gradient is not None)
