"""Street scenes, ``mim test`` on them with a seeded student, one segmented image."""

import argparse
import subprocess
import sys
from pathlib import Path

import torch

from sctnet.apis import init_model
from sctnet.checkpoint_files import write_checkpoint
from sctnet.launch import run_tool

CONFIG = 'sctnet_s_seg50_2xb8_160k_cityscapes_512x1024.py'
TOOLS = Path(__file__).resolve().parent


def run(*command: object) -> None:
    """Show a command and run it; its failure ends the demo."""
    words = [str(word) for word in command]
    print(f'\n$ {" ".join(words)}', flush=True)
    status = subprocess.call(words)
    if status:
        sys.exit(f'error: the command above failed with status {status}')


def write_seeded_student(path: Path, seed: int = 0) -> None:
    """Write an untrained SCTNet-S, the same for the same seed."""
    torch.manual_seed(seed)
    model = init_model(CONFIG, device='cpu')
    meta = {key: list(model.dataset_meta[key]) for key in ('classes', 'palette')}
    write_checkpoint(path, model.state_dict(), {'dataset_meta': meta})


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out-dir', type=Path, default=Path('demo_output'))
    out = parser.parse_args().out_dir
    data, checkpoint = out / 'street_scenes', out / 'seeded_student.pth'

    run(sys.executable, TOOLS / 'make_street_scenes.py', data, '--train', 8, '--val', 4)
    write_seeded_student(checkpoint)
    loader = 'test_dataloader'
    run(
        *('mim', 'test', 'sctnet', CONFIG, '--checkpoint', checkpoint),
        *('--data-root', data, '--work-dir', out / 'work_dir'),
        *('--cfg-options', f'{loader}.num_workers=0'),
        f'{loader}.persistent_workers=False',
    )
    image = sorted((data / 'leftImg8bit' / 'val').rglob('*.png'))[0]
    run(
        *(sys.executable, TOOLS / 'infer.py', image, '--config', CONFIG),
        *('--checkpoint', checkpoint, '--out-dir', out / 'results'),
    )
    print(
        f'\nThe overlay is {out / "results" / f"{image.stem}_overlay.png"}\n'
        'The student is seeded, not trained: its labels mean nothing yet.'
    )


if __name__ == '__main__':
    run_tool(main)
