"""Times of several contenders in turns, so that all share the machine's state."""

import copy
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..deploy.runtimes import is_installed
from .fixed_size import run_fixed

Contender = Callable[[], object]
Clock = Callable[[Contender], float]

SIZE = {'cpu': 2048, 'cuda': 8192}  # of the square matrices that are multiplied


@dataclass(frozen=True)
class Times:
    """Seconds that each timed call took."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """95 % were not slower; interpolated between the two nearest."""
        if len(self.seconds) == 1:
            return self.seconds[0]
        return statistics.quantiles(self.seconds, n=20, method='inclusive')[-1]

    @property
    def fastest(self) -> float:
        """The fastest."""
        return min(self.seconds)


def wall_clock(call: Contender) -> float:
    """Return the seconds that ``call`` took."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def cuda_clock(call: Contender) -> float:
    """Return the seconds between two CUDA events around ``call``."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start.record()
    call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000


def clock_of(device: str) -> Clock:
    """Return the clock for what runs on ``device``."""
    return cuda_clock if device.startswith('cuda') else wall_clock


def alternate(
    contenders: Mapping[str, Contender],
    repeats: int,
    warmup: int,
    pause: float = 0.05,
    clock: Clock = wall_clock,
    after: Callable[[str], None] = lambda name: None,
) -> dict[str, Times]:
    """Time contenders in rounds: each once a round, in the same order.

    Before every timed call come a pause and an untimed call. Worker threads of ONNX
    Runtime and OpenMP spin for a while after a call and take the cores from the next
    contender, whose own threads and caches must be awake in turn: without the two,
    figures are up to 30 % off.

    Args:
        contenders: name to what is timed.
        repeats: timed calls of each.
        warmup: rounds of untimed calls before.
        pause: seconds before each contender's turn.
        clock: how a call is timed.
        after: told the name after each timed call.

    Returns:
        The times of each.
    """
    for _ in range(warmup):
        for call in contenders.values():
            call()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, call in contenders.items():
            time.sleep(pause)
            call()
            seconds[name].append(clock(call))
            after(name)
    return {name: Times(tuple(values)) for name, values in seconds.items()}


def matmul_flops(device: str) -> int:
    """Floating-point operations of one of :func:`matmuls`, 2 a multiply-add."""
    return 2 * SIZE[device.partition(':')[0]] ** 3


def matmuls(device: str) -> dict[str, Contender]:
    """Return what measures the machine's peak: float32 matrix products.

    torch's and, on a CPU where it is installed, ONNX Runtime's: each has its own
    kernels, and the faster of them is the peak.
    """
    kind = device.partition(':')[0]
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(SIZE[kind], SIZE[kind], generator=generator) for _ in range(2))
    a, b = a.to(device), b.to(device)
    found: dict[str, Contender] = {'matmul torch': lambda: a @ b}
    if kind == 'cpu' and is_installed('onnxruntime'):
        product = nn.Linear(len(b), len(b), bias=False).requires_grad_(False)
        product.weight.copy_(b.t())
        run = run_fixed(product, a, 'onnxruntime')
        found['matmul onnxruntime'] = lambda: run(a)
    return found


def count_flops(network: nn.Module, size: tuple[int, int]) -> int:
    """Count floating-point operations for one image (1, 3, H, W), 2 a multiply-add.

    Convolutions and matrix products count; norms, activations, pooling and upsampling
    (to the input size too) do not.
    """
    network = copy.deepcopy(network).to('meta')  # shapes alone, nothing is computed
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, *size, device='meta'))
    return counter.get_total_flops()


def count_parameters(network: nn.Module) -> int:
    """Count the parameters that an output depends on, its norms' included.

    Some peers' heads hold layers that only training uses; these are left out.
    """
    network = copy.deepcopy(network).to('meta').requires_grad_(True)
    parameters = list(network.parameters())
    output = network(torch.zeros(1, 3, 128, 256, device='meta'))
    gradients = torch.autograd.grad(output.sum(), parameters, allow_unused=True)
    pairs = zip(parameters, gradients, strict=True)
    return sum(p.numel() for p, gradient in pairs if gradient is not None)
