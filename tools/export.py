"""Write a checkpoint as ONNX, OpenVINO IR or a TensorRT engine, checked against torch.

The file names classes, palette and normalisation, carries no path and needs no sctnet.
"""

import argparse
from pathlib import Path

from sctnet.apis import init_model
from sctnet.deploy.export import LIMITS, export_model
from sctnet.deploy.int8 import quantise_model
from sctnet.deploy.onnx_graph import OUTPUTS
from sctnet.engine.launch import run_tool
from sctnet.errors import ArgumentError


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path or name of a config')
    parser.add_argument('checkpoint', help='weight file')
    parser.add_argument(
        'file', type=Path, help='to write: FILE.onnx, FILE.xml or FILE.engine'
    )
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='fixed size of the input; any size without it',
    )
    parser.add_argument(
        '--output',
        choices=OUTPUTS,
        default='logits',
        help='logits of an eighth of the size (what sctnet itself wants), of the '
        "input's size, or labels",
    )
    parser.add_argument(
        '--normalise',
        action='store_true',
        help='take BGR uint8 images (N, H, W, 3), as OpenCV gives them',
    )
    parser.add_argument('--precision', choices=[*LIMITS, 'int8'], default='fp32')
    parser.add_argument(
        '--calibration', type=Path, help='folder of images for --precision int8'
    )
    return parser.parse_args()


def main() -> None:
    """Export and say how the file agrees with torch."""
    args = parse_args()
    _check_int8(args)
    model = init_model(args.config, args.checkpoint, 'cpu', backend='torch')
    if args.precision == 'int8':
        agreement = quantise_model(model, args.file, args.calibration)
    else:
        agreement = export_model(
            model,
            args.file,
            size=args.size and tuple(args.size),
            output=args.output,
            normalise=args.normalise,
            precision=args.precision,
        )
    print(f"'{args.file}' written ({args.file.stat().st_size / 1e6:.1f} MB)")
    if args.file.suffix == '.xml':
        print(
            f"its weights are in '{args.file.with_suffix('.bin')}': keep them together"
        )
    if agreement is None:
        print('not compared with torch: run it with sctnet on the GPU it was built on')
        return
    told = f'compared with torch: {agreement.labels:.4%} of labels equal'
    if args.output != 'labels':
        told += f', logits within {agreement.difference:.1g} x their standard deviation'
    print(told)


def _check_int8(args: argparse.Namespace) -> None:
    if args.precision != 'int8':
        if args.calibration is not None:
            raise ArgumentError('--calibration is for --precision int8: add that, too')
        return
    if args.calibration is None:
        raise ArgumentError(
            '--precision int8 measures activations on images: name a folder of them '
            'with --calibration'
        )
    if args.size or args.normalise or args.output != 'logits':
        raise ArgumentError(
            '--precision int8 writes logits of normalised images of any size: leave '
            '--size, --output and --normalise out'
        )


if __name__ == '__main__':
    run_tool(main)
