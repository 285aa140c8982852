"""Says what ends a run from outside: a lost process or worker, full disk or memory."""

import errno
import os
import re
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..errors import (
    ConfigError,
    OutOfMemoryError,
    OutputError,
    ProcessError,
    SCTNetError,
    is_out_of_memory,
)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
# What gloo, NCCL and the store say when the process at the other end is gone.
_LOST_PEER = re.compile(
    'connection closed by peer|connection reset|broken pipe|socket timeout|'
    'failed to recv|remote process exited|timed out waiting|gloo.*timeout|'
    'nccl.*(?:time(?:d )?out|remote error|aborted|watchdog)',
    re.IGNORECASE,
)


@contextmanager
def explain_run() -> Iterator[None]:
    """Raise what ends the block from outside as an error of ours, with the remedy.

    Raises:
        ProcessError: a worker of a data loader, or another process, is gone.
        OutputError: the disk is full.
        OutOfMemoryError: the memory is, of the GPU or of the machine.
    """
    # Where one process of a run is dead, torchrun sends the others this signal, and
    # their loaders' workers.
    main_thread = threading.current_thread() is threading.main_thread()
    if 'TORCHELASTIC_RUN_ID' in os.environ and main_thread:
        signal.signal(signal.SIGTERM, _end_with_sentence)
    try:
        yield
    except SCTNetError as error:
        told = _in_worker(error)
        if told is None:
            raise
        raise type(error)(told) from error
    except Exception as error:
        try:
            _hear_of_lost_worker(error)
            known = explain(error)
        except RuntimeError as lost:  # torch's signal handler raises at any line
            known = explain(lost)
        if known is None:
            raise
        raise known from error


def explain(error: Exception) -> SCTNetError | None:
    """Return an error of ours for one that a user can mend; None for any other."""
    text = str(error)
    lost = re.search(r'DataLoader worker \(pid\(?s?\)? ?([\d, ]+)\)(.*)', text)
    if lost:
        how = lost.group(2).strip().rstrip('.') or 'exited unexpectedly'
        if 'Terminated' in how and 'TORCHELASTIC_RUN_ID' in os.environ:
            return _lost_peer('torchrun ends this one')
        return ProcessError(
            f'a worker that loads data (process {lost.group(1).strip()}) is gone '
            f'({how.partition(". ")[0]}), mostly for want of memory: set '
            '..._dataloader.num_workers or batch_size lower, give it more shared '
            'memory (/dev/shm), and go on with --resume'
        )
    if is_out_of_memory(error):
        return _out_of_memory(error)
    if isinstance(error, OSError) and error.errno in _FULL:
        place = f"'{error.filename}'" if error.filename else 'a file'
        return OutputError(
            f'cannot write {place} ({error.strerror}): make room or name another '
            'folder; a training goes on with --resume'
        )
    if 'NCCL built in' in text:
        return ConfigError(
            'this torch has no NCCL, which connects GPUs: set '
            'env_cfg.dist_cfg.backend=gloo, or install a torch for CUDA'
        )
    peer = _LOST_PEER.search(text)
    if isinstance(error, RuntimeError) and peer:
        return _lost_peer(peer.group(0))
    return None


def _out_of_memory(error: Exception) -> OutOfMemoryError:
    text = str(error)
    where = 'the memory of this machine'
    if 'OutOfMemoryError' in type(error).__name__ or re.search('CUDA|CUBLAS', text):
        where = 'the memory of the GPU'
    asked = re.search(r'ried to allocate (\d+(?:\.\d+)? \w+)', text)
    full = f'{where} is full' + (
        f' ({asked.group(1)} more were asked)' if asked else ''
    )
    loop, batch = _loop_of(error)
    if 'in DataLoader worker' in text:
        return OutOfMemoryError(
            f'{full} in a worker that loads data: set ..._dataloader.num_workers or '
            'batch_size lower, and go on with --resume'
        )
    if 'Train' in loop:
        return OutOfMemoryError(
            f'{full} in training, with train_dataloader.batch_size={batch}: set it '
            'lower, crop smaller (RandomCrop.crop_size, '
            'model.data_preprocessor.size), or try --amp or '
            'model.backbone.with_cp=True, then go on with --resume'
        )
    if loop:
        part = 'test' if 'Test' in loop else 'val'
        return OutOfMemoryError(
            f'{full} in validation or test, with {part}_dataloader.batch_size={batch}: '
            'set it to 1, let the pipeline resize to a smaller scale, or predict in '
            'windows (model.test_cfg.mode=slide)'
        )
    return OutOfMemoryError(
        f'{full}: end what else uses it, take a smaller image or batch, or use '
        '--device cpu where the command has it'
    )


def _loop_of(error: BaseException) -> tuple[str, int | None]:
    """Name and batch size of the innermost loop that ``error`` came through; or ''."""
    found: tuple[str, int | None] = ('', None)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        loop: Any = frame.f_locals.get('self')
        if hasattr(type(loop), 'run_iter') and hasattr(loop, 'dataloader'):
            found = type(loop).__name__, getattr(loop.dataloader, 'batch_size', None)
    return found


def _lost_peer(how: str) -> ProcessError:
    return ProcessError(
        f'another process of this run is gone or hangs ({how}): look for the first '
        'error that any process printed, mend that, and go on with --resume'
    )


def _end_with_sentence(number: int, frame: FrameType | None) -> None:
    raise _lost_peer('torchrun ends this one')


def _hear_of_lost_worker(error: Exception) -> None:
    """Wait for torch's RuntimeError of a loader's worker whose socket was gone first.

    A worker that is killed while it hands over a batch resets the connection, and torch
    may meet that before it hears of the worker's end.
    """
    if not isinstance(error, OSError | EOFError):
        return
    frames = traceback.extract_tb(error.__traceback__)
    if not any(f.name == '_get_data' and 'dataloader' in f.filename for f in frames):
        return
    from torch._C import _error_if_any_worker_fails

    for _ in range(20):
        _error_if_any_worker_fails()
        time.sleep(0.1)


def _in_worker(error: SCTNetError) -> str | None:
    """The sentence inside an error that torch brought from a loader's worker."""
    text = str(error)
    if 'in DataLoader worker process' not in text:
        return None
    return text.rstrip().rpartition(f'{type(error).__name__}: ')[2]
