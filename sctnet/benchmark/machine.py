"""What a benchmark ran on."""

import os
import platform
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

PACKAGES = (
    *('sctnet', 'torch', 'mmsegmentation', 'mmengine', 'mmcv-lite', 'mmcv', 'numpy'),
    *('numba', 'onnxruntime', 'openvino', 'tensorrt', 'triton'),
)


def describe_machine(device: str) -> dict[str, Any]:
    """Return date, processor, memory, GPU and versions, all plain values."""
    found = {
        'date': datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'processor': _processor(),
        'cores': _cores(),
        'threads': torch.get_num_threads(),
        'instructions': torch.backends.cpu.get_cpu_capability(),
        'memory_gib': _memory_gib(),
        'system': f'{platform.system()} {platform.machine()}',
        'python': platform.python_version(),
        'gpu': None,
        'packages': dict(sorted(_versions().items())),
    }
    if device.startswith('cuda'):
        found['gpu'] = torch.cuda.get_device_name(device)
        found['cuda'] = torch.version.cuda
        found['tf32'] = torch.backends.cuda.matmul.allow_tf32
    return found


def _processor() -> str:
    """Return the processor's name as the system gives it."""
    file = Path('/proc/cpuinfo')
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _memory_gib() -> float | None:
    try:
        total = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    except (AttributeError, ValueError):
        return None
    return round(total / 2**30, 1)


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
