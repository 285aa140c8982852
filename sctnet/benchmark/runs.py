"""Measuring many cases in turns, as many at once as fit in memory."""

import gc
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch

from ..compat.optional_packages import require
from ..deploy.runtimes import check_backend
from ..errors import ArgumentError
from .cases import INT8, NORMS, Case, Contender, parse_backend
from .kinds_of_case import BUILDERS
from .measure import (
    alternate,
    clock_of,
    count_flops,
    count_parameters,
    matmul_flops,
    matmuls,
)
from .memory import peak_memory, prepare, resident_memory
from .peers import Entry, published_size
from .report import Row

IMAGE_SIZES = {  # of typical images of each data set, (height, width)
    'Cityscapes': [(1024, 2048)],
    'ADE20K': [(512, 683), (1000, 1500)],
    'COCO-Stuff 10k': [(480, 640)],
}


class Settings(NamedTuple):
    """How to measure."""

    device: str = 'cpu'
    threads: int = 0  # 0: as many as torch takes
    repeats: int = 20
    warmup: int = 2
    pause: float = 0.05
    memory: bool = True


def cases_of(
    kind: str,
    models: Sequence[Entry],
    backends: Sequence[str],
    norms: Sequence[str],
    batches: Sequence[int],
    sizes: Sequence[tuple[int, int]],
) -> list[Case]:
    """Combine what the command line names; a model's cases follow one another.

    Without ``sizes``, networks run at the size of their published mIoU and images have
    sizes of their data set's. ``norms`` are for the network alone: on images mmseg's
    and torch's rows keep them and the other runtimes fold them.
    """
    cases = []
    for entry in models:
        for size, batch in itertools.product(_sizes(kind, entry, sizes), batches):
            if kind == 'network':
                pairs: Iterable[tuple[str, str]] = itertools.product(backends, norms)
            else:
                pairs = [(backend, _norms_of(backend)) for backend in backends]
            cases += [Case(entry.name, b, n, batch, size) for b, n in pairs]
    return cases


def _sizes(
    kind: str, entry: Entry, sizes: Sequence[tuple[int, int]]
) -> Sequence[tuple[int, int]]:
    if sizes:
        return sizes
    return [published_size(entry)] if kind == 'network' else IMAGE_SIZES[entry.dataset]


def _norms_of(backend: str) -> str:
    return NORMS[0] if backend in ('mmseg', 'torch') else NORMS[1]


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
    rows = []
    for group in _groups(kind, list(dict.fromkeys(cases)), settings, advance):
        measured = _measure_group(group, settings, advance)
        group.clear()  # before the next is built, and a GPU's memory is looked at
        gc.collect()
        if settings.device.startswith('cuda'):
            torch.cuda.empty_cache()
        for row in measured:
            _measure_memory(kind, row, settings)
            advance(describe(row))
        rows += measured
    return rows


def steps(cases: Sequence[Case], settings: Settings) -> int:
    """Count the calls of ``advance``: building, each timed call, memory."""
    return len(cases) * (settings.repeats + 2)


def _groups(
    kind: str,
    cases: Sequence[Case],
    settings: Settings,
    advance: Callable[[str], None],
) -> Iterator[list[tuple[Row, Contender | None]]]:
    """Build contenders, and yield those that fit in memory together."""
    budget = _memory_budget()
    group: list[tuple[Row, Contender | None]] = []
    for case in cases:
        advance(describe(case))
        group.append(_try_build(kind, case, settings.device))
        if resident_memory() > budget:
            yield group
            group = []
    if group:
        yield group


def describe(case: Case | Row) -> str:
    """Name a case in one line."""
    height, width = case.size
    return f'{case.model} {case.backend} {case.norms} {case.batch}x{height}x{width}'


def _memory_budget() -> float:
    """Half of the machine's memory; the rest is for the largest single contender."""
    try:
        return 0.5 * os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    except (AttributeError, ValueError):
        return 8e9


def _try_build(kind: str, case: Case, device: str) -> tuple[Row, Contender | None]:
    """Build a contender, count and call it; the row has the reason if that fails."""
    row = Row(*case)
    try:
        contender = BUILDERS[kind](case, device)
        row.input_size = contender.input_size
        if contender.network is not None:
            row.parameters = count_parameters(contender.network)
            row.flops = count_flops(contender.network, contender.input_size)
        contender.call()
        row.loss = contender.loss() if contender.loss is not None else None
    except Exception as error:  # whatever a runtime or a peer's code raises
        text = (str(error) or 'no message').splitlines()[0]
        row.reason = f'{type(error).__name__}: {text[:200]}'
        return row, None
    return row, contender


def _measure_memory(kind: str, row: Row, settings: Settings) -> None:
    if settings.memory and row.reason is None:
        threads = torch.get_num_threads()
        found = peak_memory(kind, row.case, settings.device, threads)
        row.largest_batch = found.pop('largest_batch', None)
        row.memory = found or None


def _measure_group(
    group: Sequence[tuple[Row, Contender | None]],
    settings: Settings,
    advance: Callable[[str], None],
) -> list[Row]:
    ready = {describe(row): (row, c) for row, c in group if c is not None}

    def after(name: str) -> None:
        if name in ready:
            row, contender = ready[name]
            if contender.stopwatch is not None:
                row.stages.append(contender.stopwatch.seconds)
            advance(name)

    yardsticks = matmuls(settings.device)
    times = alternate(
        {**yardsticks, **{name: c.call for name, (_, c) in ready.items()}},
        settings.repeats,
        settings.warmup,
        settings.pause,
        clock_of(settings.device),
        after,
    )
    peak = matmul_flops(settings.device) / min(times[y].median for y in yardsticks)
    first: dict[tuple, torch.Tensor] = {}
    for name, (row, contender) in ready.items():
        row.seconds = list(times[name].seconds)
        row.peak_flops = peak
        _compare_labels(row, contender, first)
    return [row for row, _ in group]


def _compare_labels(row: Row, contender: Contender, first: dict) -> None:
    """Note how many labels equal those of the first backend on the same image."""
    if contender.labels is None:
        return
    labels = contender.labels()
    expected = first.setdefault((row.model, row.size), labels)
    row.agreement = float((labels == expected).double().mean())


def check_backends(backends: Iterable[str]) -> None:
    """Check backends before anything is built.

    Raises:
        ArgumentError: one is not known, its package is missing, or it has no such
            option.
    """
    for text in backends:
        if text == INT8:
            require('onnxruntime')
        elif text != 'mmseg':
            backend, options = parse_backend(text)
            check_backend(backend)
            if options and backend != 'torch':
                raise ArgumentError(
                    f"backend '{text}': what follows the plus sign is for torch alone"
                )
