"""Peak memory of a contender, measured in a process of its own."""

import ctypes
import gc
import json
import subprocess
import sys
from pathlib import Path

import torch

from .builders import BUILDERS
from .case import Case, Contender
from .machine import total_memory

PROC = Path('/proc/self')


def prepare(device: str, threads: int) -> None:
    """Let torch use ``device`` and, unless 0, that many threads of a CPU."""
    if device.startswith('cuda:'):
        torch.cuda.set_device(device)
    if threads:
        torch.set_num_threads(threads)


def peak_memory(kind: str, case: Case, device: str) -> int | None:
    """Measure in a fresh process the peak bytes of two calls, all of it included.

    On a GPU torch's allocations there count. None where the process failed, for want of
    memory for one.
    """
    request = json.dumps([kind, case, device, torch.get_num_threads()])
    command = [sys.executable, '-W', 'ignore', '-m', __name__, request]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode else json.loads(done.stdout.splitlines()[-1])


def measure(contender: Contender, device: str) -> int:
    """Call ``contender`` twice and return the peak bytes since it was built."""
    gc.collect()
    if device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats()
    elif (PROC / 'clear_refs').exists():
        # The C library keeps what building freed; calls would reuse it unseen.
        ctypes.CDLL(None).malloc_trim(0)
        (PROC / 'clear_refs').write_text('5')
    for _ in range(2):
        contender.call()
    if device.startswith('cuda'):
        return torch.cuda.max_memory_allocated()
    return _resident('VmHWM')


def _resident(field: str) -> int:
    """Read VmRSS or VmHWM; where there is no /proc, the peak since the start."""
    if (PROC / 'status').exists():
        words = (PROC / 'status').read_text().split()
        return int(words[words.index(f'{field}:') + 1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == 'darwin' else peak * 1024


def is_half_full(device: str) -> bool:
    """Whether half of the memory of this machine, or of its GPU, is taken."""
    if device.startswith('cuda'):
        free, total = torch.cuda.mem_get_info()
        return free < total / 2
    return _resident('VmRSS') > (total_memory() or 16e9) / 2


def main(request: str) -> None:
    """Answer one request of :func:`peak_memory`."""
    kind, (model, backend, batch, size), device, threads = json.loads(request)
    prepare(device, threads)
    contender = BUILDERS[kind](Case(model, backend, batch, tuple(size)), device)
    print(json.dumps(measure(contender, device)))


if __name__ == '__main__':
    main(sys.argv[1])
