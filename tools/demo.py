"""Teach a small SCTNet: street scenes, a teacher, a student, a test, two pictures."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import cv2

from sctnet.apis import inference_model, init_model
from sctnet.datasets.images import read_image
from sctnet.engine.launch import run_tool
from sctnet.evaluation.comparison import draw_comparison
from sctnet.evaluation.training_curves import draw_curves
from sctnet.weights.segmentor_files import best_checkpoint

TEACHER = 'segformer_t_1xb4_600_streets_128x256.py'
STUDENT = 'sctnet_t_1xb4_600_streets_128x256.py'
# Two thirds of the configs' length: the whole demo in less than six minutes.
SHORTER = (
    *('--cfg-options', 'train_cfg.max_iters=400', 'param_scheduler.0.max_iters=400'),
)
TOOLS = Path(__file__).resolve().parent


def run(*command: object) -> None:
    """Show a command and run it; its failure ends the demo."""
    words = [str(word) for word in command]
    print(f'\n$ {" ".join(words)}', flush=True)
    status = subprocess.call(words)
    if status:
        sys.exit(f'error: the command above failed with status {status}')


def compare(image: Path, checkpoints: dict[str, tuple[str, Path]], path: Path) -> None:
    """Draw an image, its true labels and what each checkpoint makes of it."""
    truth = Path(str(image).replace('leftImg8bit', 'gtFine').removesuffix('.png'))
    labels = cv2.imread(f'{truth}_labelTrainIds.png', cv2.IMREAD_UNCHANGED)
    maps = {'truth': labels}
    for name, (config, checkpoint) in checkpoints.items():
        model = init_model(config, checkpoint, device='cpu')
        result = inference_model(model, image)
        maps[name] = result.pred_sem_seg.data[0].numpy()
    draw_comparison(read_image(image), maps, model.dataset_meta['palette'], path)


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out-dir', type=Path, default=Path('demo_output'))
    out = parser.parse_args().out_dir
    start = time.monotonic()
    data, teacher, student = out / 'street_scenes', out / 'teacher', out / 'student'

    scenes = ('--train', 48, '--val', 16, '--size', '512x256')
    run(sys.executable, TOOLS / 'make_street_scenes.py', data, *scenes)
    at = ('--data-root', data, '--work-dir')
    run('mim', 'train', 'sctnet', TEACHER, *at, teacher, *SHORTER)
    taught = ('--teacher', teacher, *SHORTER)
    run('mim', 'train', 'sctnet', STUDENT, *at, student, *taught)
    trained = best_checkpoint(student)
    run('mim', 'test', 'sctnet', STUDENT, '--checkpoint', trained, *at, out / 'test')
    image = sorted((data / 'leftImg8bit' / 'val').rglob('*.png'))[0]
    run(
        *(sys.executable, TOOLS / 'infer.py', image, '--config', STUDENT),
        *('--checkpoint', trained, '--out-dir', out / 'results'),
    )
    checkpoints = {
        'teacher': (TEACHER, best_checkpoint(teacher)),
        'student': (STUDENT, trained),
    }
    compare(image, checkpoints, out / 'comparison.png')
    draw_curves({'teacher': teacher, 'student': student}, out / 'curves.png')
    print(
        f'\n{time.monotonic() - start:.0f} s. Look at {out / "comparison.png"} (image, '
        f'truth, teacher, student), {out / "curves.png"} and '
        f'{out / "results" / f"{image.stem}_overlay.png"}'
    )


if __name__ == '__main__':
    run_tool(main)
