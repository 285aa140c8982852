"""Checkpoints that are written whole or not at all, and the newest sound one."""

import copy
import logging
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ..errors import CheckpointError
from ..files import write_bytes
from ..weights.safe_files import read_checkpoint, weights_of


class AtomicBackend(LocalBackend):
    """Local files that appear under their names only when they are complete."""

    def put(self, obj: bytes | memoryview, filepath: str | Path) -> None:
        """Write ``obj`` to ``filepath``, which keeps its old content until then."""
        write_bytes(filepath, obj)


register_backend('sctnet.atomic', AtomicBackend, force=True)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook``, safe against being killed at any moment.

    A file has its name only once it is complete, and an outdated one is removed after
    the new one is there, not before. Takes the same arguments.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        plain = not kwargs.get('backend_args') and not kwargs.get('file_client_args')
        if plain and '://' not in str(kwargs.get('out_dir')):
            kwargs['backend_args'] = {'backend': 'sctnet.atomic'}
        super().__init__(*args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Find the place for checkpoints; clear it of what a killed run left there."""
        super().before_train(runner)
        if is_main_process() and os.path.isdir(self.out_dir):
            for left in Path(self.out_dir).glob('.*-*.pth'):
                left.unlink(missing_ok=True)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Move what other hooks have put there to the CPU, where any machine reads it.

        mmengine moves the weights, and its ``EMAHook`` then swaps in those of a GPU.
        """
        checkpoint.update(_on_cpu(checkpoint))

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with self._removing_last():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        with self._removing_last():
            super()._save_best_checkpoint(runner, metrics)

    @contextmanager
    def _removing_last(self) -> Iterator[None]:
        outdated: list[str] = []
        remove = self.file_backend.remove
        self.file_backend.remove = outdated.append
        try:
            yield
        finally:
            self.file_backend.remove = remove
        for path in outdated:
            remove(path)


def _on_cpu(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.cpu()
    if isinstance(value, dict):
        moved = copy.copy(value)  # keeps what torch notes beside a state dict
        for key, one in value.items():  # a Counter's update would count
            moved[key] = _on_cpu(one)
        return moved
    if type(value) in (list, tuple):
        return type(value)(map(_on_cpu, value))
    return value


def newest_checkpoint(work_dir: str | os.PathLike) -> str | None:
    """Return the newest checkpoint in ``work_dir`` that a training can resume from.

    One that is broken is reported, and the one before it is tried.

    Raises:
        CheckpointError: there are checkpoints, and every one is broken.
    """
    found = _numbered(Path(work_dir)) or _recorded(Path(work_dir))
    for path in found:
        try:
            check_resumable(path)
        except CheckpointError as error:
            print_log(f'skipping {error}', logger='current', level=logging.WARNING)
        else:
            return str(path)
    if found:
        raise CheckpointError(
            f"'{work_dir}' has {len(found)} checkpoints and none can be resumed from: "
            'name one elsewhere with --resume FILE, or start again without --resume'
        )
    return None


def _numbered(folder: Path) -> list[Path]:
    """Checkpoints under mmengine's own names, the newest first."""
    found = {
        path: match
        for path in folder.glob('*.pth')
        if (match := re.fullmatch(r'(iter|epoch)_(\d+)', path.stem))
    }
    numbers = {path: float(match.group(2)) for path, match in found.items()}
    if len({match.group(1) for match in found.values()}) > 1:
        # A training that counted both; the iterations of an epoch stand in its file.
        for path, match in found.items():
            if match.group(1) == 'epoch':
                numbers[path] = _iteration_of(path)
    return sorted(numbers, key=lambda path: numbers[path], reverse=True)


def _iteration_of(path: Path) -> float:
    """The iteration of a checkpoint; of one that cannot tell, beyond all others."""
    try:
        return float(read_checkpoint(path)['meta']['iter'])
    except (CheckpointError, KeyError, TypeError, ValueError):
        return math.inf


def _recorded(folder: Path) -> list[Path]:
    """The one that mmengine noted last, for other names and places."""
    note = folder / 'last_checkpoint'
    return [Path(note.read_text().strip())] if note.is_file() else []


def check_resumable(path: str | os.PathLike) -> None:
    """See that ``path`` can be read and holds the state of a training.

    Raises:
        CheckpointError: it cannot, it holds weights alone, or some are not finite.
    """
    checkpoint = read_checkpoint(path)
    try:
        weights = weights_of(checkpoint)
    except CheckpointError as error:
        raise CheckpointError(f"cannot resume from '{path}': {error}") from error
    broken = [k for k, w in weights.items() if not torch.isfinite(w).all()]
    if broken:
        raise CheckpointError(
            f"'{path}' holds {len(broken)} weights that are not finite, such as "
            f"'{broken[0]}': resume from one before it"
        )
    if {'message_hub', 'optimizer'} - checkpoint.keys():
        raise CheckpointError(
            f"'{path}' holds weights but no state of a training to resume: start from "
            f'its weights with --cfg-options load_from={path}'
        )
