"""Write a released, pre-trained or own weight file as a clean student-only file."""

import argparse

from sctnet.engine.launch import run_tool
from sctnet.weights.convert import convert_checkpoint


def main() -> None:
    """Convert one file and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', help='weight file of the original or of sctnet')
    parser.add_argument('target', help='ends in .pth or .safetensors')
    parser.add_argument(
        '--backbone', action='store_true', help='leave the decode head out too'
    )
    args = parser.parse_args()
    print(convert_checkpoint(args.source, args.target, args.backbone))


if __name__ == '__main__':
    run_tool(main)
