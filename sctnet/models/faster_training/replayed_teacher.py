"""A teacher's batches replayed from graphs, where that is known to give the same."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from ...prediction.recorded import Recorded

_COMPARED = 2  # replays of each size: of what was recorded, and of another batch
_ALIKE = 1e-3  # of the norm, if a library does not compute the same bits twice


class TeacherReplays:
    """Runs a teacher, and replays it for sizes of images that come often.

    The first replays are compared with runs. Where they differ, or recording fails,
    the teacher runs from then on, and the log says so. Copies and pickles hold nothing.
    """

    def __init__(self) -> None:
        self._recorded: dict[Any, tuple[Any, Recorded]] = {}
        self._compared: dict[Any, int] = {}
        self._fails = False

    def __reduce__(self) -> tuple[type, tuple]:
        return type(self), ()

    def __call__(
        self,
        run: Callable[[Tensor], Any],
        image: Tensor,
        way: Any,
        parts: Any,
        always: bool = False,
    ) -> Any:
        """Return what ``run`` makes of a batch, until the next batch.

        Args:
            run: from a batch on a GPU to tensors there, in any structure.
            image: the batch.
            way: what else the result depends on.
            parts: what ``run`` computes with; others are recorded anew.
            always: record at once and compare nothing.
        """
        known, recorded = self._recorded.get(way, (None, None))
        if recorded is None or known is not parts:
            recorded = Recorded()
            self._recorded[way] = parts, recorded
            self._compared = {}
        if always:
            return recorded(run, image)
        if self._fails or not recorded.pays(image):
            return run(image)
        try:
            replayed = recorded(run, image)
        except Exception as error:
            return self._give_up(run, image, ' '.join(str(error).split())[:200])
        key = way, image.shape, image.dtype
        if self._compared.get(key, 0) < _COMPARED:
            self._compared[key] = self._compared.get(key, 0) + 1
            if not _alike(replayed, run(image)):
                return self._give_up(run, image, 'a replay gave other features')
        return replayed

    def _give_up(self, run: Callable[[Tensor], Any], image: Tensor, why: str) -> Any:
        self._fails, self._recorded = True, {}
        print_log(
            f'the teacher is not replayed from a graph ({why}): it runs, more slowly',
            'current',
            logging.WARNING,
        )
        return run(image)


@torch.no_grad()
def _alike(ours: Any, theirs: Any) -> bool:
    return all(
        bool((a.float() - b.float()).norm() <= _ALIKE * b.float().norm())
        for a, b in zip(_tensors(ours), _tensors(theirs), strict=True)
    )


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in tuples, and in the attributes of features."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)
    elif hasattr(value, '__dataclass_fields__'):
        for name in value.__dataclass_fields__:
            yield from _tensors(getattr(value, name))
