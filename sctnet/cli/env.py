"""Say which versions of everything are installed: what a bug report needs.

Example:
  sctnet env
"""

import argparse
import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import __version__

# Packages that install the same module stand side by side.
PACKAGES = (
    *('mmengine', 'mmcv mmcv-lite', 'mmsegmentation', 'mmpretrain', 'numpy'),
    'opencv-python opencv-python-headless opencv-contrib-python '
    'opencv-contrib-python-headless',
    *('numba', 'onnx', 'onnxruntime onnxruntime-gpu', 'openvino', 'tensorrt'),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: :func:`env` takes no arguments."""


def env() -> None:
    """Print a line for each thing; what is missing or broken is said so."""
    looks: dict[str, Callable[[], str]] = {
        'sctnet': lambda: f'{__version__} in {Path(__file__).parents[1]}',
        'python': lambda: f'{platform.python_version()} ({sys.executable})',
        'platform': platform.platform,
        'cores': _cores,
        'torch': _torch,
        **{names.split()[0]: partial(_versions, names.split()) for names in PACKAGES},
    }
    for name, look in looks.items():
        try:
            told = look()
        except Exception as error:  # a broken package is what is to be reported
            told = f'broken: {error!r}'
        print(f'{name:<16}{told}')


def _cores() -> str:
    usable = getattr(os, 'sched_getaffinity', lambda _: range(os.cpu_count() or 1))
    threads = os.environ.get('OMP_NUM_THREADS', 'not set')
    return f'{len(usable(0))} of {os.cpu_count()}, OMP_NUM_THREADS {threads}'


def _torch() -> str:
    if importlib.util.find_spec('torch') is None:
        return 'missing'
    import torch

    told = f'{torch.__version__}, built for CUDA {torch.version.cuda}, '
    told += f'{torch.get_num_threads()} threads, GPUs: '
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return told + (', '.join(map(torch.cuda.get_device_name, range(count))) or 'none')


def _versions(packages: list[str]) -> str:
    told = []
    for package in packages:
        try:
            told.append(f'{package} {version(package)}')
        except PackageNotFoundError:
            continue
    if told and packages[0] == 'mmcv':
        spec = importlib.util.find_spec('mmcv')
        folder = Path(spec.origin).parent if spec and spec.origin else Path()
        ops = 'compiled' if list(folder.glob('_ext.*')) else 'no compiled'
        told.append(f'{ops} ops')
    if told and packages[0] == 'onnxruntime':
        import onnxruntime

        told += onnxruntime.get_available_providers()
    return ', '.join(told) or 'missing'
