"""Rendering one scene, and writing a data set of them in Cityscapes' layout."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeGuard

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError, OutputError
from ...files import write_bytes
from .scene import draw_scene

MARKER = 'street_scenes.json'  # tells our folders from the real Cityscapes
GENERATOR = 'sctnet.datasets.street_scenes'
CITIES = {'train': 'procedural', 'val': 'madeupton'}
SMALLEST, LARGEST = (128, 64), (2048, 1024)
MOST = 100_000  # scenes per split; frame numbers have six digits


def render_street_scene(
    seed: int, width: int = 1024, height: int = 512
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw one street scene; the same arguments give the same pixels.

    Args:
        seed: Non-negative integer; every seed is another scene.
        width: Pixels, 128 to 2048.
        height: Pixels, 64 to 1024.

    Returns:
        The BGR image, uint8 (height, width, 3), and the label map, uint8
        (height, width), with Cityscapes train ids 0 to 18 and 255 for ignored.

    Raises:
        ArgumentError: The seed or the size is not an integer in range.
    """
    _check_seed(seed)
    _check_size((width, height))
    return draw_scene(int(seed), int(width), int(height))


def write_street_scenes(
    out_dir: str | os.PathLike[str],
    num_train: int = 16,
    num_val: int = 8,
    size: tuple[int, int] = (1024, 512),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write scenes and train-id label maps in the folder layout of Cityscapes.

    A folder that this function wrote before is written anew; any other folder that
    holds something is refused.  Each file appears whole or not at all; the marker
    file names seed, size and counts once all scenes are written, so after an
    interrupted run just run again.

    Args:
        out_dir: Data root to make.
        num_train: Number of training scenes.
        num_val: Number of validation scenes.
        size: Width and height in pixels, 128 x 64 to 2048 x 1024.
        seed: The same seed, counts and size give the same bytes.
        progress: Called as progress(done, total) after every scene.

    Returns:
        The data root, to be used as `data_root`.

    Raises:
        ArgumentError: A count, the size or the seed is out of range.
        OutputError: ``out_dir`` holds files that are not ours, or cannot be written.
    """
    counts = {'train': num_train, 'val': num_val}
    _check_counts(counts)
    _check_size(size)
    _check_seed(seed)
    root = _open_root(Path(out_dir))
    _mark(root, {})
    _clear(root)
    done, total = 0, sum(counts.values())
    for split, (name, count) in enumerate(counts.items()):
        city = CITIES[name]
        for frame in range(count):
            _write_scene(root, name, city, frame, size, [int(seed), split, frame])
            done += 1
            if progress is not None:
                progress(done, total)
    scenes = {name: int(count) for name, count in counts.items()}
    _mark(root, {'seed': int(seed), 'size': [int(v) for v in size], **scenes})
    return root


def _mark(root: Path, contents: dict[str, object]) -> None:
    # Until all scenes are there the marker says no more than whose folder it is.
    about = {'generator': GENERATOR, **contents}
    write_bytes(root / MARKER, (json.dumps(about, indent=2) + '\n').encode())


def _clear(root: Path) -> None:
    for kind in ('leftImg8bit', 'gtFine'):
        for split, city in CITIES.items():
            for old in sorted((root / kind / split / city).glob(f'{city}_*.png')):
                old.unlink()


def _write_scene(
    root: Path,
    split: str,
    city: str,
    frame: int,
    size: tuple[int, int],
    key: list[int],
) -> None:
    # A seed of its own for each frame: more scenes leave the first ones alone.
    own = int(np.random.SeedSequence(key).generate_state(1)[0])
    image, label = draw_scene(own, int(size[0]), int(size[1]))
    stem = f'{city}_{frame:06d}_{19:06d}'
    folder = root / 'leftImg8bit' / split / city
    _write_png(folder / f'{stem}_leftImg8bit.png', image)
    folder = root / 'gtFine' / split / city
    _write_png(folder / f'{stem}_gtFine_labelTrainIds.png', label)


def _integer(value: object) -> TypeGuard[int]:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _check_seed(seed: object) -> None:
    if not _integer(seed) or seed < 0:
        raise ArgumentError(
            f'seed is {seed!r}, but it must be an integer >= 0: pass e.g. seed=0'
        )


def _check_counts(counts: dict[str, int]) -> None:
    for name, count in counts.items():
        if not _integer(count) or not 0 <= count <= MOST:
            raise ArgumentError(
                f'num_{name} is {count!r}, but it must be an integer from 0 to {MOST}: '
                'pass another number of scenes'
            )
    if not sum(counts.values()):
        raise ArgumentError(
            'num_train and num_val are both 0, but at least one scene is needed: '
            'raise one of them'
        )


def _check_size(size: object) -> None:
    (w0, h0), (w1, h1) = SMALLEST, LARGEST
    pair = list(size) if isinstance(size, (tuple, list)) else []
    good = len(pair) == 2 and all(_integer(value) for value in pair)
    if not good or not (w0 <= pair[0] <= w1 and h0 <= pair[1] <= h1):
        raise ArgumentError(
            f'size is {size!r}, but (width, height) must be two integers from '
            f'{w0}x{h0} to {w1}x{h1}: pass e.g. 1024x512'
        )


def _open_root(root: Path) -> Path:
    """Make the data root, or take one of ours or an empty one."""
    if os.path.exists(root) and not os.path.isdir(root):
        raise OutputError(
            f"'{root}' is a file, but a folder is needed: name another path"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        held = any(root.iterdir())
    except OSError as error:
        raise OutputError(
            f"cannot write '{root}' ({error.strerror}): name a writable folder"
        ) from error
    if held and not _ours(root):
        raise OutputError(
            f"'{root}' holds files that are not generated street scenes, but an empty "
            'or new folder is needed: name another folder'
        )
    return root


def _ours(root: Path) -> bool:
    try:
        about = json.loads((root / MARKER).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and about.get('generator') == GENERATOR


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    done, data = cv2.imencode('.png', pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise OutputError(f"'{path}' cannot be encoded as PNG: reinstall OpenCV")
    write_bytes(path, data.tobytes())
