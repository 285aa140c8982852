"""Checkpoints that are written whole or not at all, and the newest sound one."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ..checkpoint_files import read_checkpoint
from ..errors import CheckpointError
from ..files import write_bytes


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
        local = '://' not in str(kwargs.get('out_dir'))
        if kwargs.get('backend_args') is None and local:
            kwargs['backend_args'] = {'backend': 'sctnet.atomic'}
        super().__init__(*args, **kwargs)

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


def newest_checkpoint(work_dir: str | os.PathLike) -> str | None:
    """Return the newest checkpoint in ``work_dir`` that a training can resume from.

    One that is broken is reported, and the one before it is tried.

    Raises:
        CheckpointError: there are checkpoints, and every one is broken.
    """
    numbered = {
        int(found.group(1)): path
        for path in Path(work_dir).glob('iter_*.pth')
        if (found := re.fullmatch(r'iter_(\d+)', path.stem))
    }
    for _, path in sorted(numbered.items(), reverse=True):
        try:
            check_resumable(path)
        except CheckpointError as error:
            print_log(f'skipping {error}', logger='current', level=logging.WARNING)
        else:
            return str(path)
    if numbered:
        raise CheckpointError(
            f"no checkpoint in '{work_dir}' can be resumed from, all {len(numbered)} "
            'are broken: name one elsewhere with --resume FILE, or start again without '
            '--resume'
        )
    return None


def check_resumable(path: str | os.PathLike) -> None:
    """See that ``path`` can be read and holds the state of a training.

    Raises:
        CheckpointError: it cannot, or it holds weights alone.
    """
    missing = {'message_hub', 'optimizer'} - read_checkpoint(path).keys()
    if missing:
        raise CheckpointError(
            f"'{path}' holds weights but no state of a training to resume: start from "
            f'its weights with --cfg-options load_from={path}'
        )
