"""A report as Markdown: what was run, on what, the tables, and what was not run."""

from collections.abc import Callable, Iterable, Sequence

from .markdown_training import NOTES, training_columns
from .report import Column, Report, Row
from .stages import STAGES


def to_markdown(report: Report, pictures: Sequence[str]) -> str:
    """Return the Markdown of ``report``.

    Args:
        report: what was found.
        pictures: file names of the plots, relative to the Markdown's folder.
    """
    what = {
        'network': 'Network alone: a random tensor to logits at its own size',
        'image': 'Image in memory to label map of its own size',
        'train': 'A training step: a batch to updated weights',
    }
    parts = [
        f'## {what[report.kind]}',
        _circumstances(report),
        *(f'![{name}]({name})' for name in pictures),
        *_tables(report),
        _explanations(report),
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
    done = [row for row in report.rows if row.reason is None]
    columns = _columns(report) if report.kind != 'train' else training_columns(report)
    for batch in sorted({row.batch for row in done}):
        rows = [row for row in done if row.batch == batch]
        if report.kind == 'network':
            rows.sort(key=lambda row: row.times.median)
        yield f'Batch {batch}:\n\n' + _table(columns, rows)


def _columns(report: Report) -> list[Column]:
    baseline = {
        (r.model, r.size, r.batch): r.times.median
        for r in report.rows
        if r.backend == 'mmseg' and r.reason is None
    }

    def ratio(row: Row) -> str:
        whole = baseline.get((row.model, row.size, row.batch))
        return f'{whole / row.times.median:.2f}x' if whole else ''

    columns: list[Column] = [
        ('model', lambda row: row.model),
        ('backend', lambda row: row.backend),
        ('norms', lambda row: row.norms),
        ('size', lambda row: '{}x{}'.format(*row.size)),
        ('median ms', lambda row: _ms(row.times.median)),
        ('p95 ms', lambda row: _ms(row.times.p95)),
        ('min ms', lambda row: _ms(row.times.fastest)),
    ]
    if report.kind == 'image':
        columns += [
            ('to mmseg', ratio),
            *((f'{stage} ms', _stage(stage)) for stage in STAGES),
            ('equal labels', _agreement),
        ]
    else:
        columns += [
            ('images/s', lambda row: f'{row.batch / row.times.median:.1f}'),
            ('parameters', lambda row: f'{(row.parameters or 0) / 1e6:.2f} M'),
            ('GFLOPs', lambda row: f'{(row.flops or 0) / 1e9:.1f}'),
            ('GFLOP/s', lambda row: f'{row.flops_per_second / 1e9:.0f}'),
            ('of peak', _share_of_peak),
        ]
    return [
        *columns,
        ('memory, peak MiB', _memory('peak')),
        ('of it calls MiB', _memory('calls')),
        ('published mIoU', lambda row: _miou(report, row)),
    ]


def _ms(seconds: float) -> str:
    return f'{1000 * seconds:.1f}'


def _stage(stage: str) -> Callable[[Row], str]:
    return lambda row: _ms(row.stage_medians[stage]) if row.stages else ''


def _agreement(row: Row) -> str:
    return '' if row.agreement is None else f'{100 * row.agreement:.4f} %'


def _share_of_peak(row: Row) -> str:
    return (
        f'{100 * row.flops_per_second / row.peak_flops:.0f} %' if row.peak_flops else ''
    )


def _memory(kind: str) -> Callable[[Row], str]:
    def text(row: Row) -> str:
        if row.memory is None:
            return ''
        built, peak = row.memory['built'], row.memory['peak']
        return f'{(peak if kind == "peak" else peak - built) / 2**20:.0f}'

    return text


def _miou(report: Report, row: Row) -> str:
    """Return the mIoU, with the size it was published for where another was run."""
    published = report.published[row.model]
    name = '' if published.dataset == 'Cityscapes' else f' ({published.dataset})'
    other = row.input_size != published.size and published.dataset == 'Cityscapes'
    size = ' at {}x{}'.format(*published.size) if other else ''
    return f'{published.miou:.2f}{size}{name}'


def _table(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    lines = [
        [title for title, _ in columns],
        ['---'] * 3 + ['---:'] * (len(columns) - 3),
        *([text(row) for _, text in columns] for row in rows),
    ]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _explanations(report: Report) -> str:
    if report.kind == 'train':
        return '\n'.join(f'- {note}' for note in NOTES)
    peaks = [row.peak_flops for row in report.rows if row.peak_flops] or [0.0]
    peak = ' to '.join(dict.fromkeys(f'{f(peaks) / 1e9:.0f}' for f in (min, max)))
    lines = [
        'Weights are random and seeded; norms have statistics of real activations.',
        '`kept` norms run as they are (a runtime may fold them itself when it loads '
        'the graph), `folded` ones are in the weights of the convolution before them, '
        'by the same code for every network, wherever one reads nothing else.',
        'FLOPs count 2 a multiply-add of convolutions and matrix products for one '
        'image; norms, activations, pooling and upsampling are left out.',
        f'The peak is that of float32 matrix products timed in the same rounds: {peak} '
        'GFLOP/s.',
        'Memory is that of a process of its own that calls the row twice; "of it '
        'calls" is what was added after building.',
    ]
    if report.kind == 'network':
        lines.insert(
            0,
            'The time includes the bilinear upsampling of all classes to the input '
            'size, inside the runtime. Graphs are exported for the very size.',
        )
    else:
        lines.insert(
            0,
            "`mmseg` is mmseg's own `init_model` and `inference_model` around mmseg's "
            'own segmentor, untouched; the other rows are ours. The image is a drawn '
            'street scene. With trained weights, whose logits are smoother, our label '
            'map can skip more.',
        )
    sources = sorted(
        f'{name}: {report.published[name].source}'
        for name in {row.model for row in report.rows}
    )
    published = 'Published mIoU (single scale) is quoted, not measured, from: '
    return '\n'.join(f'- {line}' for line in [*lines, published + '; '.join(sources)])


def _not_run(report: Report) -> str:
    lines = [
        f'- {row.model}, {row.backend}, '
        + (f'norms {row.norms}, ' if report.kind != 'train' else '')
        + f'batch {row.batch}: {row.reason}'
        for row in report.rows
        if row.reason is not None
    ]
    if not report.machine['gpu']:
        what = 'CUDA' if report.kind == 'train' else 'CUDA and TensorRT'
        lines.append(f'- {what}: this run was on a CPU.')
    return '\n'.join(['Not run:', '', *lines]) if lines else ''
