"""Images a second of the loader, beside mmpretrain's own pipeline, in turns."""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import cv2
from sctnet_pretraining.loading import LoadRandomCrop, Pack

from sctnet.benchmark.machine import describe_machine
from sctnet.cli.print_errors import run_command
from sctnet.datasets.street_scenes import render_street_scene
from sctnet.files import write_bytes

# isort: split
from mmcv.transforms import LoadImageFromFile, RandomFlip
from mmengine.dataset import default_collate
from mmpretrain.datasets import CustomDataset
from mmpretrain.datasets.transforms import PackInputs, RandomResizedCrop
from torch.utils.data import DataLoader

FLIP = {'type': RandomFlip, 'prob': 0.5}
CROP = {'type': RandomResizedCrop, 'scale': 224}
OWN = {'type': LoadRandomCrop, 'scale': 224}
PIPELINES = {
    'mmpretrain': [{'type': LoadImageFromFile}, CROP, FLIP, {'type': PackInputs}],
    'decoding in full': [{**OWN, 'reduce': False}, FLIP, {'type': Pack}],
    'default': [OWN, FLIP, {'type': Pack}],
}
SIZES = ((500, 375), (1000, 750), (2000, 1500))  # ImageNet's are mostly the first


def write_images(root: Path, size: tuple[int, int], count: int) -> None:
    """Write drawn street scenes as JPEGs of ``size``, width and height."""
    (root / 'scene').mkdir(parents=True)
    for seed in range(count):
        image, _ = render_street_scene(seed, 1024, 512)
        image = cv2.resize(image[:, 171:853], size, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(root / 'scene' / f'{seed}.jpg'), image)


def loader_of(root: Path, pipeline: list[dict], workers: int, batch: int) -> DataLoader:
    """Build a loader whose workers stay; both pipelines get the same."""
    return DataLoader(
        CustomDataset(str(root), pipeline=pipeline),
        batch_size=batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=True,
        prefetch_factor=2,
        collate_fn=default_collate,
    )


def measure(root: Path, args: argparse.Namespace) -> dict[str, list[float]]:
    """Images a second of each pipeline, once a round, in turns."""
    loaders = {
        name: loader_of(root, pipeline, args.workers, args.batch)
        for name, pipeline in PIPELINES.items()
    }
    speeds: dict[str, list[float]] = {name: [] for name in loaders}
    for repeat in range(args.repeats + 1):
        for name, loader in loaders.items():
            start = time.perf_counter()
            for _ in loader:
                pass
            if repeat:  # the first starts the workers
                speeds[name].append(args.images / (time.perf_counter() - start))
    return speeds


def table(speeds: dict[str, dict[str, list[float]]]) -> str:
    """A markdown table of medians and ranges."""
    lines = ['| JPEGs of | pipeline | images a second | range |', '|---|---|---:|---|']
    for size, pipelines in speeds.items():
        for name, values in pipelines.items():
            spread = f'{min(values):.0f} to {max(values):.0f}'
            median = statistics.median(values)
            lines.append(f'| {size} | {name} | {median:.0f} | {spread} |')
    return '\n'.join(lines)


def main() -> None:
    """Measure and write results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, help='a .json file for the figures')
    parser.add_argument('--images', type=int, default=64, help='files of each size')
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--workers', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=7)
    args = parser.parse_args()
    cv2.setNumThreads(0)  # as in a worker of the Runner's
    speeds = {}
    for width, height in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / 'images'
            write_images(root, (width, height), args.images)
            speeds[f'{width}x{height}'] = measure(root, args)
    print(table(speeds))
    if args.out:
        results = {'machine': describe_machine('cpu'), 'images_a_second': speeds}
        write_bytes(args.out, json.dumps(results, indent=1).encode())


if __name__ == '__main__':
    run_command(main)
