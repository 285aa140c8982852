"""Segment an image, a folder or a video: overlay and label map as PNG for each."""

import argparse
import sys
from pathlib import Path

from rich.progress import track

from sctnet.apis import init_model
from sctnet.errors import ImageError
from sctnet.infer import check_out_dir, open_source, segment_to_files
from sctnet.launch import run_tool


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('input', help='image, folder of images or video')
    parser.add_argument('--config', required=True, help='path or name of a config')
    parser.add_argument('--checkpoint', required=True, help='weight file')
    parser.add_argument('--out-dir', type=Path, default=Path('results'))
    parser.add_argument('--device', help="for example 'cpu' or 'cuda:0'")
    parser.add_argument('--opacity', type=float, default=0.5, help='of the overlay')
    return parser.parse_args()


def main() -> int:
    """Segment everything; 1 if an image of a folder had to be skipped."""
    args = parse_args()
    check_out_dir(args.input, args.out_dir)
    source = open_source(args.input)
    model = init_model(args.config, args.checkpoint, args.device)
    skipped: list[str] = []
    done = 0
    for frame in track(source.frames, 'Segmenting', total=source.length or None):
        try:
            segment_to_files(model, frame, args.out_dir, args.opacity)
            done += 1
        except ImageError as error:
            if source.length == 1:
                raise
            skipped.append(str(error))
    for message in skipped:
        print(f'skipped: {message}', file=sys.stderr)
    print(f"{done} segmented, {len(skipped)} skipped; results are in '{args.out_dir}'")
    return 1 if skipped else 0


if __name__ == '__main__':
    run_tool(main)
