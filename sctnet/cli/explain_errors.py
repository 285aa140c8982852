"""Errors of the libraries below, said as ours: a sentence with the remedy in it."""

import errno
import functools
import re
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from ..errors import ConfigError, OutputError, ProcessError, SCTNetError

Function = TypeVar('Function', bound=Callable[..., Any])

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
# What gloo, NCCL and the store say when the process at the other end is gone.
_LOST_PEER = re.compile(
    'connection closed by peer|connection reset|broken pipe|socket timeout|'
    'failed to recv|remote process exited|timed out waiting|gloo.*timeout|'
    'nccl.*(?:time(?:d )?out|remote error|aborted|watchdog)',
    re.IGNORECASE,
)


@contextmanager
def explain_config(name: object) -> Iterator[None]:
    """Say what fails inside as a :class:`ConfigError` of the config called ``name``."""
    try:
        yield
    except SCTNetError:
        raise
    except Exception as error:
        known = explain(error)
        if known is not None:
            raise known from error
        if 'unexpected keyword argument' in str(error):
            raise ConfigError(
                f"'{name}' or --cfg-options name an argument that is not there "
                f'({_words(error)}): check its spelling'
            ) from error
        raise ConfigError(
            f"'{name}' or --cfg-options name something that cannot be used "
            f'({_words(error)}): check names and values against a config that mim '
            'search sctnet lists; SCTNET_TRACEBACK=1 shows where it fails'
        ) from error


def config_errors(function: Function) -> Function:
    """Explain what ``function``, which takes a config first, trips over in it."""

    @functools.wraps(function)
    def explained(cfg: Any, *args: Any, **kwargs: Any) -> Any:
        with explain_config(getattr(cfg, 'filename', None) or 'the config'):
            return function(cfg, *args, **kwargs)

    return explained  # type: ignore[return-value]


@contextmanager
def explain_run() -> Iterator[None]:
    """Say what ends a run from outside: lost processes, a full disk, a bad file.

    Raises:
        ProcessError: a worker of a data loader, or another process, is gone.
        OutputError: the disk is full.
    """
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
        return ProcessError(
            f'a worker that loads data (process {lost.group(1).strip()}) is gone '
            f'({how.partition(". ")[0]}), mostly for want of memory: set '
            '..._dataloader.num_workers or batch_size lower, give it more shared '
            'memory (/dev/shm), and go on with --resume'
        )
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
        return ProcessError(
            f'another process of this run is gone ({peer.group(0)}): look for the '
            'first error that any process printed, mend that, and go on with --resume'
        )
    return None


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


def _words(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f'{type(error).__name__}: {lines[0][:300]}' if lines else repr(error)
