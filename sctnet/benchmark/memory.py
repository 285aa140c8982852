"""Peak memory of a contender, measured in a process of its own."""

import ctypes
import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from .cases import Case, Contender
from .kinds_of_case import BUILDERS

PROC = Path('/proc/self')


def prepare(device: str, threads: int) -> None:
    """Let torch use ``device`` and, unless 0, that many threads of a CPU."""
    if device.startswith('cuda:'):
        torch.cuda.set_device(device)
    if threads:
        torch.set_num_threads(threads)


def peak_memory(kind: str, case: Case, device: str, threads: int) -> dict[str, int]:
    """Measure bytes in a fresh process: ``built``, ``peak``, both of the process.

    ``peak - built`` is what calls need beside the model: activations, a runtime's
    arena, full-size logits. On a GPU both count torch's allocations there, and training
    finds the ``largest_batch`` that fits. Empty where the process failed, for want of
    memory for one.
    """
    request = json.dumps([kind, case, device, threads])
    command = [sys.executable, '-W', 'ignore', '-m', __name__, request]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    answers = [x for x in done.stdout.splitlines() if x.startswith('{')]
    return json.loads(answers[-1]) if answers else {}


def measure(contender: Contender, device: str) -> dict[str, int]:
    """Call ``contender`` twice and return ``built`` and ``peak`` bytes."""
    gc.collect()
    if device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats()
        built = torch.cuda.memory_allocated()
    else:
        built = _reset_peak()
    for _ in range(2):
        contender.call()
    if device.startswith('cuda'):
        torch.cuda.synchronize()
        return {'built': built, 'peak': torch.cuda.max_memory_allocated()}
    return {'built': built, 'peak': _resident('VmHWM')}


def _reset_peak() -> int:
    """Give freed memory back, restart the peak and return the resident bytes."""
    if (PROC / 'clear_refs').exists():
        # The C library keeps what building freed; calls would reuse it unseen.
        ctypes.CDLL(None).malloc_trim(0)
        (PROC / 'clear_refs').write_text('5')
    return _resident('VmRSS')


def _resident(field: str) -> int:
    """Read VmRSS or VmHWM; where there is no /proc, the peak since the start."""
    if (PROC / 'status').exists():
        for line in (PROC / 'status').read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == 'darwin' else peak * 1024


def resident_memory() -> int:
    """Return the bytes this process holds now, or has held at most without /proc."""
    return _resident('VmRSS')


def main(request: str) -> None:
    """Answer one request of :func:`peak_memory`."""
    kind, case, device, threads = json.loads(request)
    prepare(device, threads)
    model, backend, norms, batch, (height, width) = case
    case = Case(model, backend, norms, batch, (height, width))
    contender = BUILDERS[kind](case, device)
    answer: dict[str, Any] = measure(contender, device)
    print(json.dumps(answer))
    if contender.largest_batch is not None and device.startswith('cuda'):
        largest_batch = contender.largest_batch()
        print(json.dumps({**answer, 'largest_batch': largest_batch}))


if __name__ == '__main__':
    main(sys.argv[1])
