"""A report as Markdown: what was run, on what, the tables, and what was not run."""

from collections.abc import Callable, Iterable, Sequence

from .case import LOADER, READABLE
from .report import Report, Row

Text = Callable[[Row], str]
Column = tuple[str, Text]  # the head, and a row's cell
TITLES = {
    'network': 'Network alone: a random tensor to logits at its own size',
    'image': 'Image in memory to label map of its own size',
    'train': 'A training step: a batch to updated weights',
}
NOTES = {
    'network': (
        'The time includes the bilinear upsampling of all classes to the input size, '
        'inside the runtime. Graphs are exported for the very size.',
    ),
    'image': (
        "`mmseg` is mmseg's own `init_model` and `inference_model`, untouched; the "
        'other rows are ours. The image is a drawn street scene. With trained weights, '
        'whose logits are smoother, our label map can skip more.',
    ),
    'train': (
        '`readable` computes every loss and the teacher step by step, by torch and '
        'mmseg alone (`model.train_cfg.shortcuts=False`); `shortcuts` is the default. '
        "Both are one iteration of a Runner's parts: normalisation, losses, gradients, "
        "the recipe's AdamW. `amp` is `--amp`.",
        'Weights are random, images and labels noise, a tenth of the labels ignored.',
        "`loader` is the recipe's pipeline in one process, as in a worker, on drawn "
        "street scenes in files of the data set's typical size; steps do not wait for "
        'it here. `+store` and `+crop` are the means of `faster_loader`; the ratios of '
        'these rows are to `loader`.',
        'Stages are medians of their own. SIAM is the alignment with its losses, heads '
        'are both heads with theirs, backward is that of all losses, rest is mostly '
        'normalisation. On a GPU each stage waits for the one before it, in calls that '
        'are not those of the whole step.',
        'Memory is the peak of a process of its own in two iterations, with imports, '
        "weights and AdamW's state; on a GPU what torch allocates there.",
    ),
}
NOTES_ON_INFERENCE = (
    'Weights are random and seeded; norms have statistics of real activations. A '
    'runtime may fold norms into convolutions when it loads a graph.',
    'FLOPs count 2 a multiply-add of convolutions and matrix products for one image.',
    'Memory is the peak of a process of its own that calls the row twice.',
)


def to_markdown(report: Report, pictures: Sequence[str]) -> str:
    """Return the Markdown of ``report``.

    Args:
        report: what was found.
        pictures: file names of the plots, relative to the Markdown's folder.
    """
    parts = [
        f'## {TITLES[report.kind]}',
        _circumstances(report),
        *(f'![{name}]({name})' for name in pictures),
        *_tables(report),
        '\n'.join(f'- {note}' for note in _notes(report)),
        _not_run(report),
    ]
    return '\n\n'.join(part for part in parts if part) + '\n'


def _circumstances(report: Report) -> str:
    machine, settings = report.machine, report.settings
    gpu = f', {machine["gpu"]} (CUDA {machine["cuda"]})' if machine['gpu'] else ''
    packages = ', '.join(f'{k} {v}' for k, v in machine['packages'].items())
    return (
        f'{machine["date"]}; {machine["processor"]}, {machine["cores"]} cores '
        f'({machine["instructions"]}), {machine["threads"]} threads, '
        f'{machine["memory_gib"]} GiB{gpu}; Python {machine["python"]}, {packages}.\n\n'
        f'`{settings["command"]}`\n\n'
        f'One process; {settings["repeats"]} timed calls of each row in turns with all '
        f'others, {settings["warmup"]} rounds of warm-up, and before every timed call '
        f'{1000 * settings["pause"]:.0f} ms of rest and an untimed call.'
    )


def _tables(report: Report) -> Iterable[str]:
    """Yield a table for each batch size; networks are sorted, fastest first."""
    columns = _columns(report)
    for batch in sorted({row.batch for row in report.done}):
        rows = [row for row in report.done if row.batch == batch]
        if report.kind == 'network':
            rows.sort(key=lambda row: row.median)
        lines = [[text(row) for _, text in columns] for row in rows]
        yield f'Batch {batch}:\n\n{table([title for title, _ in columns], lines, 3)}'


def table(head: Sequence[str], lines: Sequence[Sequence[str]], texts: int) -> str:
    """Return a table, its first columns text and the others numbers.

    Args:
        head: names of the columns.
        lines: cells.
        texts: how many columns are text.
    """
    rule = ['---'] * texts + ['---:'] * (len(head) - texts)
    return '\n'.join(f'| {" | ".join(line)} |' for line in [head, rule, *lines])


def _columns(report: Report) -> list[Column]:
    base = {'image': 'mmseg', 'train': READABLE}.get(report.kind)
    columns: list[Column] = [
        ('model', lambda row: row.model),
        ('way' if report.kind == 'train' else 'backend', lambda row: row.backend),
        ('size', lambda row: '{}x{}'.format(*row.size)),
        ('median ms', lambda row: _ms(row.median)),
        ('p95 ms', lambda row: _ms(row.p95)),
        ('min ms', lambda row: _ms(min(row.seconds))),
        ('images/s', lambda row: f'{row.batch / row.median:.2f}'),
    ]
    if base:
        stages = next((row.stage_medians for row in report.done if row.stages), {})
        columns += [
            (f'time to {base}', _ratio(report, base, lambda row: row.median)),
            *((f'{stage} ms', _stage(stage)) for stage in stages),
        ]
    else:
        columns += [
            ('parameters', lambda row: f'{(row.parameters or 0) / 1e6:.2f} M'),
            ('GFLOPs', lambda row: f'{(row.flops or 0) / 1e9:.1f}'),
            ('GFLOP/s', lambda row: f'{row.flops_per_second / 1e9:.0f}'),
        ]
    columns.append(('memory MiB', _memory))
    if report.kind == 'train':
        ratio = _ratio(report, READABLE, lambda row: row.memory)
        return [*columns, (f'memory to {READABLE}', ratio)]
    if report.kind == 'image':
        columns.append(('equal labels', _agreement))
    return [*columns, ('published mIoU', lambda row: _miou(report, row))]


def _ratio(report: Report, backend: str, value: Callable[[Row], float | None]) -> Text:
    """Compare a row with that of ``backend`` on the same model, batch and size.

    A loader is no step: it is compared with the plain loader.
    """
    bases = {r.case: value(r) for r in report.done if r.backend in (backend, LOADER)}

    def text(row: Row) -> str:
        other = LOADER if row.backend.startswith(LOADER) else backend
        base, this = bases.get(row.case._replace(backend=other)), value(row)
        return f'{this / base:.2f}' if this and base else ''

    return text


def _ms(seconds: float) -> str:
    return f'{1000 * seconds:.1f}'


def _stage(stage: str) -> Text:
    return lambda row: _ms(row.stage_medians[stage]) if row.stages else ''


def _agreement(row: Row) -> str:
    return '' if row.agreement is None else f'{100 * row.agreement:.4f} %'


def _memory(row: Row) -> str:
    return '' if row.memory is None else f'{row.memory / 2**20:.0f}'


def _miou(report: Report, row: Row) -> str:
    """Return the mIoU, with the size it was published for where another was run."""
    published = report.published[row.model]
    name = '' if published.dataset == 'Cityscapes' else f' ({published.dataset})'
    other = row.input_size != published.size and published.dataset == 'Cityscapes'
    size = ' at {}x{}'.format(*published.size) if other else ''
    return f'{published.miou:.2f}{size}{name}'


def _notes(report: Report) -> list[str]:
    notes = list(NOTES[report.kind])
    if report.kind == 'train':
        return notes
    sources = '; '.join(f'{k}: {v.source}' for k, v in sorted(report.published.items()))
    quoted = f'Published mIoU (single scale) is quoted, not measured, from: {sources}'
    return [*notes, *NOTES_ON_INFERENCE, quoted]


def _not_run(report: Report) -> str:
    lines = [
        f'- {row.model}, {row.backend}, batch {row.batch}: {row.reason}'
        for row in report.rows
        if row.reason is not None
    ]
    if not report.machine['gpu']:
        what = 'CUDA' if report.kind == 'train' else 'CUDA and TensorRT'
        lines.append(f'- {what}: this run was on a CPU.')
    return '\n'.join(['Not run:', '', *lines]) if lines else ''
