"""What a benchmark ran on."""

import contextlib
import hashlib
import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from .. import __version__

PACKAGES = (
    *('mmcv', 'mmcv-lite', 'mmengine', 'mmsegmentation', 'numba', 'numpy'),
    *('onnxruntime', 'openvino', 'sctnet', 'tensorrt', 'torch', 'triton'),
)


def describe_machine(device: str) -> dict[str, Any]:
    """Return date, processor, memory, GPU and versions, all plain values."""
    memory = total_memory()
    found = {
        'date': datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'processor': _processor(),
        'cores': count_cores(),
        'threads': torch.get_num_threads(),
        'instructions': torch.backends.cpu.get_cpu_capability(),
        'memory_gib': round(memory / 2**30, 1) if memory else None,
        'system': f'{platform.system()} {platform.machine()}',
        'python': platform.python_version(),
        'gpu': None,
        'packages': _versions(),
    }
    if device.startswith('cuda'):
        found['gpu'] = torch.cuda.get_device_name(device)
        found['cuda'] = torch.version.cuda
        found['driver'] = _driver()
        found['tf32'] = torch.backends.cuda.matmul.allow_tf32
        found['tf32_convolutions'] = torch.backends.cudnn.allow_tf32
    return found


def count_cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, 'sched_getaffinity', None)  # not on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def describe_code() -> str:
    """Return the commit of sctnet in a checkout, else its version and a sum of it.

    ``-dirty`` follows where the checkout has changes that are not committed.
    """
    package = Path(__file__).resolve().parents[1]
    if (package.parent / '.git').exists():  # else git would tell of what lies around
        words = ['git', '-C', str(package.parent), 'describe', '--always', '--dirty']
        with contextlib.suppress(OSError):
            done = subprocess.run(
                [*words, '--exclude', '*'], capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return done.stdout.strip()
    files = sorted(package.rglob('*.py'))
    code = hashlib.sha256(b''.join(file.read_bytes() for file in files))
    return f'{__version__}+{code.hexdigest()[:7]}'


def total_memory() -> int | None:
    """Return the machine's bytes of memory, None where the system does not say."""
    try:
        return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    except (AttributeError, ValueError):
        return None


def _processor() -> str:
    """Return the processor's name as the system gives it."""
    file = Path('/proc/cpuinfo')
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()


def _driver() -> str | None:
    """Return the version of NVIDIA's driver, None where the system does not say."""
    file = Path('/proc/driver/nvidia/version')
    found = re.search(r'\d+\.\d[\d.]*', file.read_text()) if file.exists() else None
    return found[0] if found else None


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
