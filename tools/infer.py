"""Segment images, a video or a camera: overlays and label maps, or a video."""

import argparse
import sys
from pathlib import Path

from rich.progress import Progress, TextColumn

from sctnet.apis import init_model
from sctnet.deploy.runtimes import BACKENDS
from sctnet.engine.launch import run_tool
from sctnet.streams.open_source import Source, open_source
from sctnet.streams.pipeline import StreamReport
from sctnet.streams.segment import Outputs, check_out_dir, result_path, segment_source


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('input', help='image, folder, video, camera index, or URL (rtsp://, http://)')
    add('--config', help='path or name of a config; exported files need none')
    add('--checkpoint', required=True, help='weight file, or an exported one')
    add('--out-dir', type=Path, default=Path('results'))
    add('--device', help="for example 'cpu' or 'cuda:0'")
    add('--backend', help=f'one of {", ".join(BACKENDS)} (default: the fastest)')
    add('--opacity', type=float, default=0.5, help='of the overlay')
    add('--save-labels', action='store_true', help='label maps of a video, too')
    add('--fps', type=float, help="of the video written (default: the source's)")
    add('--show', action='store_true', help='in a window; q or Esc ends')
    add('--max-frames', type=int, metavar='N', help='end after N frames')
    return parser.parse_args()


def main() -> int:
    """Segment everything; 1 if an image of a folder had to be skipped."""
    args = parse_args()
    outputs = Outputs(
        args.out_dir,
        args.opacity,
        args.save_labels,
        args.fps,
        args.show,
        args.max_frames,
    )
    source = open_source(args.input)
    model = init_model(
        args.config or args.checkpoint,
        args.checkpoint,
        args.device,
        backend=args.backend,
    )
    check_out_dir(args.input, args.out_dir)
    report = StreamReport()
    columns = (*Progress.get_default_columns(), TextColumn('{task.fields[speed]}'))
    total = min(args.max_frames or source.length, source.length or sys.maxsize)
    try:
        with Progress(*columns) as progress:
            task = progress.add_task('Segmenting', total=total or None, speed='')

            def advance() -> None:
                progress.update(task, completed=report.done, speed=report.speed())

            segment_source(model, source, outputs, report, advance)
    except KeyboardInterrupt:
        summarise(report, source, args.out_dir)
        raise
    summarise(report, source, args.out_dir)
    return 1 if report.skipped else 0


def summarise(report: StreamReport, source: Source, out_dir: Path) -> None:
    """Print what was skipped, and in one line what was done."""
    for message in report.skipped:
        print(f'skipped: {message}', file=sys.stderr)
    print(
        f'{report.written} segmented, {len(report.skipped)} skipped, {report.dropped} '
        f"dropped at {report.speed()}; results are in '{result_path(source, out_dir)}'"
    )


if __name__ == '__main__':
    run_tool(main)
