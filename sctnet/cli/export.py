"""Write a checkpoint as ONNX, OpenVINO IR or a TensorRT engine, checked against torch.

The file names classes, palette and normalisation, carries no path and needs no sctnet.

Example:
  sctnet export sctnet-s-seg50 work_dirs/mine network.onnx --size 512 1024
"""

import argparse
from pathlib import Path

from ..errors import ArgumentError

OUTPUTS = ('logits', 'full_logits', 'labels')
PRECISIONS = ('fp32', 'fp16', 'int8')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`export` takes."""
    add = parser.add_argument
    add('config', help='path or name of a config')
    add('checkpoint', help='weight file, or the work folder of a training')
    add('file', type=Path, help='to write: FILE.onnx, FILE.xml or FILE.engine')
    add(
        '--size',
        type=int,
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='fixed size of the input; any size without it',
    )
    add(
        '--output',
        choices=OUTPUTS,
        default='logits',
        help='logits of an eighth of the size (what sctnet itself wants), of the '
        "input's size, or labels",
    )
    add(
        '--normalise',
        action='store_true',
        help='take BGR uint8 images (N, H, W, 3), as OpenCV gives them',
    )
    add('--precision', choices=PRECISIONS, default='fp32')
    add('--calibration', type=Path, help='folder of images for --precision int8')


def export(
    config: str,
    checkpoint: str,
    file: Path,
    *,
    size: tuple[int, int] | None = None,
    output: str = 'logits',
    normalise: bool = False,
    precision: str = 'fp32',
    calibration: Path | None = None,
) -> None:
    """Export and say how the file agrees with torch."""
    if (precision == 'int8') != (calibration is not None):
        raise ArgumentError(
            '--precision int8 and --calibration FOLDER, images on which activations '
            'are measured, go together: give both or neither'
        )
    if calibration and (size or normalise or output != 'logits'):
        raise ArgumentError(
            '--precision int8 writes logits of normalised images of any size: leave '
            '--size, --output and --normalise out'
        )
    from ..apis import init_model
    from ..deploy.export import Agreement, export_model
    from ..deploy.int8 import quantise_model

    model = init_model(config, checkpoint, 'cpu', backend='torch')
    agreement: Agreement | None
    if calibration is not None:
        agreement = quantise_model(model, file, calibration)
    else:
        agreement = export_model(
            model,
            file,
            size=(size[0], size[1]) if size else None,
            output=output,
            normalise=normalise,
            precision=precision,
        )
    print(f"'{file}' written ({file.stat().st_size / 1e6:.1f} MB)")
    if file.suffix.lower() == '.xml':
        print(f"its weights are in '{file.with_suffix('.bin')}': keep them together")
    if agreement is None:
        print('not compared with torch: run it with sctnet on the GPU it was built on')
        return
    told = f'compared with torch: {agreement.labels:.4%} of labels equal'
    if output != 'labels':
        told += f', logits within {agreement.difference:.1g} x their standard deviation'
    print(told)
