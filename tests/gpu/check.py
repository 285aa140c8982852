"""Check the package on a GPU: is it right there, and what does it cost?

Install the package, then run ``python tests/gpu/check.py``: ten minutes or so on a GPU.
Without one everything is done in small on the CPU, and the times mean nothing. Every
fact is a line of JSON; ``"ok": false`` is a fault, and the exit status is then 1.
What a training step costs, ``sctnet benchmark train --device cuda`` says.
"""

import argparse
import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

warnings.filterwarnings('ignore')
sys.path[:0] = [str(folder) for folder in Path(__file__).resolve().parents[:2]]

import gpu_correctness  # noqa: E402
import gpu_speed  # noqa: E402
import torch  # noqa: E402
from gpu_place import Place  # noqa: E402

SECTIONS = {
    'losses': gpu_correctness.losses,
    'optimizer': gpu_correctness.optimizer,
    'labels': gpu_correctness.labels,
    'resume': gpu_correctness.resume,
    'images': gpu_speed.images,
    'networks': gpu_speed.networks,
    'loader': gpu_speed.loader,
}


def main(words: list[str] | None = None) -> int:
    """Run the sections; return 1 where one is wrong or raises, else 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    gpu = torch.cuda.is_available()
    parser.add_argument('--only', nargs='+', choices=SECTIONS, default=[*SECTIONS])
    parser.add_argument('--device', default='cuda' if gpu else 'cpu')
    parser.add_argument('--out', type=Path, help='file for the lines, also printed')
    args = parser.parse_args(words)
    place = Place(args.device, small=not args.device.startswith('cuda'))
    lines: list[str] = []

    def say(**facts: object) -> None:
        lines.append(json.dumps(facts))
        print(lines[-1], flush=True)
        if args.out:  # after every line: a GPU may take the process with it
            args.out.write_text('\n'.join(lines) + '\n')

    name = torch.cuda.get_device_name(place.device) if place.gpu else None
    cores, python = os.cpu_count(), sys.version.split()[0]
    say(
        section='machine', gpu=name, torch=torch.__version__, python=python, cores=cores
    )
    for name in args.only:
        start = time.perf_counter()
        try:
            for facts in SECTIONS[name](place):
                say(section=name, **facts)
        except Exception:  # the other sections have their say too
            say(section=name, ok=False, error=traceback.format_exc())
        place.free()
        say(section=name, seconds=round(time.perf_counter() - start, 1))
    return int(any(json.loads(line).get('ok') is False for line in lines))


if __name__ == '__main__':
    sys.exit(main())
