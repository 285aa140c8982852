"""Measuring many cases in turns, as many at once as fit in memory."""

import gc
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch

from ..catalog import load_config
from ..compat.optional_packages import require
from ..deploy.runtimes import check_backend, check_options
from ..errors import ArgumentError
from .builders import BUILDERS
from .case import IMAGE_SIZES, INT8, Case, Contender, parse_backend, parse_way
from .measure import alternate, count_flops, count_parameters, waiter
from .memory import is_half_full, peak_memory, prepare
from .models import Entry
from .report import Row


class Settings(NamedTuple):
    """How to measure."""

    device: str = 'cpu'
    threads: int = 0  # 0: as many as torch takes
    repeats: int = 10
    warmup: int = 1
    pause: float = 0.05
    memory: bool = True


def cases_of(
    kind: str,
    models: Sequence[Entry],
    backends: Sequence[str],
    batches: Sequence[int],
    sizes: Sequence[tuple[int, int]],
    device: str,
) -> list[Case]:
    """Combine what is asked for; a model's cases follow one another.

    Without ``sizes``, networks run at the size of their published mIoU, images have
    sizes of their data set's, and training takes the recipe's crop.

    Raises:
        ArgumentError: a model to train has no teacher.
    """
    cases = []
    for entry in models:
        dataset, batch = entry.published.dataset, 1
        own = IMAGE_SIZES[dataset] if kind == 'image' else [entry.published.size]
        if kind == 'train':
            cfg = load_config(entry.config)
            if 'siam' not in cfg.model:
                raise ArgumentError(
                    f"'{entry.name}' has no teacher to train with: name models of ours"
                )
            own = [cfg.crop_size]
            batch = cfg.train_dataloader.batch_size if device.startswith('cuda') else 2
        combined = itertools.product(sizes or own, batches or [batch], backends)
        cases += [Case(entry.name, name, n, size) for size, n, name in combined]
    return cases


def run_cases(
    kind: str,
    cases: Sequence[Case],
    settings: Settings,
    advance: Callable[[str], None] = lambda text: None,
) -> list[Row]:
    """Measure ``cases`` and return a row for each, in their order.

    What cannot be built, or not run, becomes a row with the reason.

    Args:
        kind: ``network``, ``image`` or ``train``.
        cases: what to measure.
        settings: how.
        advance: told what is done, :func:`steps` times.
    """
    prepare(settings.device, settings.threads)
    rows: list[Row] = []
    ready: dict[str, tuple[Row, Contender]] = {}
    cases = list(dict.fromkeys(cases))
    for case in cases:
        advance(str(case))
        rows.append(_try_build(kind, case, settings.device, ready))
        if case is cases[-1] or is_half_full(settings.device):
            _time_in_turns(ready, settings, advance)
            ready.clear()
            gc.collect()
            if settings.device.startswith('cuda'):
                torch.cuda.empty_cache()
    for row in rows:
        if settings.memory and row.reason is None:
            row.memory = peak_memory(kind, row.case, settings.device)
        advance(str(row.case))
    return rows


def steps(cases: Sequence[Case], settings: Settings) -> int:
    """Count the calls of ``advance``: building, each timed call, memory."""
    return len(cases) * (settings.repeats + 2)


def _try_build(
    kind: str, case: Case, device: str, ready: dict[str, tuple[Row, Contender]]
) -> Row:
    """Build, count and call a contender; it is ready, or its row says why not."""
    row = Row(*case)
    try:
        contender = BUILDERS[kind](case, device)
        row.input_size = contender.input_size
        if contender.network is not None:
            row.parameters = count_parameters(contender.network)
            row.flops = count_flops(contender.network, contender.input_size)
        contender.call()
        ready[str(case)] = (row, contender)
    except Exception as error:  # whatever a runtime or a peer's code raises
        text = (str(error) or 'no message').splitlines()[0]
        row.reason = f'{type(error).__name__}: {text[:200]}'
    return row


def _time_in_turns(
    ready: dict[str, tuple[Row, Contender]],
    settings: Settings,
    advance: Callable[[str], None],
) -> None:
    """Time what is ready and fill its rows.

    A stopwatch waits for a GPU around each stage, which its whole call shall not:
    there stages come from a call of their own.
    """
    apart = settings.device.startswith('cuda')

    def after(name: str) -> None:
        row, contender = ready[name]
        if contender.stopwatch is not None:
            if apart:
                contender.stopwatch()
            row.stages.append(contender.stopwatch.seconds)
        advance(name)

    calls = {
        name: contender.call if apart else contender.stopwatch or contender.call
        for name, (_, contender) in ready.items()
    }
    seconds = alternate(
        calls,
        settings.repeats,
        settings.warmup,
        settings.pause,
        waiter(settings.device),
        after,
    )
    first: dict[tuple, torch.Tensor] = {}
    for name, (row, contender) in ready.items():
        row.seconds = seconds[name]
        if contender.labels is not None:  # compared with the first on the same image
            labels = contender.labels()
            expected = first.setdefault((row.model, row.size), labels)
            row.agreement = float((labels == expected).double().mean())


def check_backends(kind: str, backends: Iterable[str]) -> None:
    """Check backends, or ways to train, before anything is built.

    Raises:
        ArgumentError: one is not known, its package is missing, or it has no such
            option.
    """
    for text in backends:
        if kind == 'train':
            parse_way(text)
        elif text == INT8:
            require('onnxruntime')
        elif text != 'mmseg':
            backend, options = parse_backend(text)
            check_backend(backend)
            check_options(backend, options)
