"""What a report on training says."""

from collections.abc import Callable

from .loading import LOADER
from .report import Column, Report, Row
from .training import STAGES

NOTES = (
    '`reference` computes every loss and the teacher step by step, by torch and mmseg '
    'alone (`model.train_cfg.fused=False`); `fused` is the default. Both are one '
    "iteration of a Runner's parts: normalisation, losses, gradients, the recipe's "
    'AdamW. `amp` is `--amp`.',
    'Weights are random, images and labels noise, a tenth of the labels ignored.',
    "`loader` is the recipe's pipeline in one process, as in a worker, on drawn street "
    "scenes in files of the data set's typical size; steps do not wait for it here.",
    'Loss is that of the first iteration, from equal weights and the same random '
    'numbers (compiled code draws others).',
    'Stages are medians of their own. SIAM is the alignment with its losses, heads are '
    'decode and auxiliary head with theirs, backward is that of all losses, rest is '
    'mostly normalisation. On a GPU each stage waits for the one before it, and a step '
    'loses some overlap.',
    'Memory is the peak of a process of its own in two iterations, with imports, '
    "weights and AdamW's state; on a GPU what torch allocates there.",
)


def training_columns(report: Report) -> list[Column]:
    """Return the columns of a table of training steps, ratios to the reference."""
    done = [row for row in report.rows if row.reason is None]
    references = {_group(r): r for r in done if r.backend == 'reference'}

    def ratio(value: Callable[[Row], float | None]) -> Callable[[Row], str]:
        def text(row: Row) -> str:
            reference = references.get(_group(row))
            if reference is None or row.backend == LOADER:
                return ''
            ours, theirs = value(row), value(reference)
            return f'{ours / theirs:.2f}' if ours and theirs else ''

        return text

    columns: list[Column] = [
        ('model', lambda row: row.model),
        ('way', lambda row: row.backend),
        ('size', lambda row: '{}x{}'.format(*row.size)),
        ('median ms', lambda row: f'{1000 * row.times.median:.0f}'),
        ('min ms', lambda row: f'{1000 * row.times.fastest:.0f}'),
        ('time to reference', ratio(lambda row: row.times.median)),
        ('images/s', lambda row: f'{row.batch / row.times.median:.2f}'),
        *((f'{stage} ms', _stage(stage)) for stage in STAGES),
        ('memory MiB', lambda row: _mib(_peak(row))),
        ('memory to reference', ratio(_peak)),
        ('loss', lambda row: '' if row.loss is None else f'{row.loss:.6g}'),
    ]
    if any(row.largest_batch is not None for row in done):
        columns.append(('largest batch', lambda row: str(row.largest_batch or '')))
    return columns


def _group(row: Row) -> tuple:
    return row.model, row.batch, row.size


def _stage(stage: str) -> Callable[[Row], str]:
    return lambda row: f'{1000 * row.stage_medians[stage]:.0f}' if row.stages else ''


def _peak(row: Row) -> float | None:
    return row.memory['peak'] if row.memory else None


def _mib(value: float | None) -> str:
    return '' if value is None else f'{value / 2**20:.0f}'
