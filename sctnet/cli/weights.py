"""Write a released, pre-trained or own weight file as a clean student-only file.

Example:
  sctnet weights work_dirs/mine student.safetensors
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`weights` takes."""
    add = parser.add_argument
    add('source', help='file of the original or of sctnet, or a work folder')
    add('target', help='ends in .pth or .safetensors')
    add('--backbone', action='store_true', help='leave the decode head out too')


def weights(source: str, target: str, backbone: bool = False) -> None:
    """Convert one file and say what was written."""
    from ..weights.convert import convert_checkpoint
    from ..weights.segmentor_files import find_segmentor

    print(convert_checkpoint(find_segmentor(source), target, backbone))
