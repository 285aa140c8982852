"""Segment images, a video or a camera: overlays and label maps, or a video.

Examples:
  sctnet infer photos --config sctnet-s-ade --checkpoint work_dirs/mine
  sctnet infer leaderboard --checkpoint network.onnx --labels cityscapes
  sctnet infer drive.mp4 --checkpoint network.onnx --threads 2
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ArgumentError
from .arguments import add_cfg_options, add_labels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`infer` takes."""
    add = parser.add_argument
    add(
        'input',
        help='image, folder, video, camera index, or URL (rtsp://, http://)',
    )
    add('--config', help='path or name of a config; exported files need none')
    add(
        '--checkpoint',
        required=True,
        help='weight file, the work folder of a training, or an exported file',
    )
    add_cfg_options(parser)
    add('--out-dir', type=Path, default=Path('results'))
    add('--device', help="for example 'cpu' or 'cuda:0'")
    add('--opacity', type=float, default=0.5, help='of the overlay')
    add('--save-labels', action='store_true', help='label maps of a video, too')
    add_labels(parser)
    add('--fps', type=float, help="of the video written (default: the source's)")
    add('--show', action='store_true', help='in a window; q or Esc ends')
    add('--max-frames', type=int, metavar='N', help='end after N frames')
    group = parser.add_argument_group('how it runs')
    group.add_argument(
        '--backend',
        help='torch, onnxruntime, openvino or tensorrt (default: the fastest)',
    )
    # Only those that are given reach the back end, which says what it does not know.
    add = partial(group.add_argument, default=argparse.SUPPRESS)
    add('--threads', type=int, help='onnxruntime, openvino: of the CPU')
    add('--precision', help='openvino, tensorrt: fp32, fp16 or bf16')
    add('--dtype', help='torch: fp32, fp16 or bf16')
    add('--channels-last', action='store_true', help='torch: memory format')
    add('--compile', action='store_true', help='torch: slow start, then fast')
    add('--cuda-graphs', action='store_true', help='torch, on a GPU')


def infer(
    input: str,
    checkpoint: str,
    *,
    config: str | None = None,
    cfg_options: dict[str, Any] | None = None,
    out_dir: Path = Path('results'),
    device: str | None = None,
    opacity: float = 0.5,
    save_labels: bool = False,
    labels: str | None = None,
    fps: float | None = None,
    show: bool = False,
    max_frames: int | None = None,
    backend: str | None = None,
    **backend_options: Any,
) -> int:
    """Segment everything; 1 if an image of a folder had to be skipped."""
    from ..apis import init_model
    from ..deploy.runtimes import is_exported
    from ..streams.open_input import open_source
    from ..streams.pipeline import StreamReport
    from ..streams.segment import Outputs, check_out_dir
    from ..weights.segmentor_files import find_segmentor

    outputs = Outputs(out_dir, opacity, save_labels, fps, show, max_frames)
    outputs.labels = labels or 'index'
    source = open_source(input, leave_out=out_dir)
    if labels and source.kind != 'images' and not save_labels:
        raise ArgumentError(
            '--labels is of label maps, which a video or camera has with '
            '--save-labels: add that, or drop --labels'
        )
    if source.found:
        print(source.found)
    file = find_segmentor(checkpoint)
    if config is None and not is_exported(file):
        raise ArgumentError(
            f"'{file}' holds weights without their network: name the config that they "
            'were trained with, --config CONFIG, or a file of sctnet export'
        )
    model = init_model(
        config or file, file, device, cfg_options, backend, **backend_options
    )
    check_out_dir(input, out_dir)
    report = StreamReport()
    try:
        _segment(model, source, outputs, report)
    except KeyboardInterrupt:
        _summarise(report, source, outputs)
        raise
    _summarise(report, source, outputs)
    return 1 if report.skipped else 0


def _segment(model: Any, source: Any, outputs: Any, report: Any) -> None:
    """Segment behind a bar that shows the speed."""
    from rich.progress import Progress, TextColumn

    from ..streams.segment import segment_source

    columns = (*Progress.get_default_columns(), TextColumn('{task.fields[speed]}'))
    total = min(outputs.max_frames or source.length, source.length or sys.maxsize)
    with Progress(*columns) as progress:
        task = progress.add_task('Segmenting', total=total or None, speed='')

        def advance() -> None:
            progress.update(task, completed=report.done, speed=report.speed())

        segment_source(model, source, outputs, report, advance)


def _summarise(report: Any, source: Any, outputs: Any) -> None:
    """Print what was skipped, and in one line what was done."""
    from ..datasets.label_values import WRITTEN
    from ..streams.segment import result_path

    for message in report.skipped:
        print(f'skipped: {message}', file=sys.stderr)
    kind = outputs.labels
    maps = source.kind == 'images' or outputs.save_labels
    place = result_path(source, outputs.out_dir)
    hold = f', label maps hold {WRITTEN[kind]} (--labels {kind})' if maps else ''
    print(
        f'{report.written} segmented, {len(report.skipped)} skipped, {report.dropped} '
        f"dropped at {report.speed()}; results are in '{place}'{hold}"
    )
