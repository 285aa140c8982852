"""What a case wrote: complete and readable, or left over."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


def hashes_of(folder: Path) -> dict[str, str]:
    """Relative path to SHA-256 of each file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob('*'))
        if path.is_file() and not path.is_symlink()
    }


def leftovers(folders: Sequence[Path], inputs: dict[str, str]) -> Iterator[str]:
    """Say which files are temporary, or results that cannot be read.

    Args:
        folders: where a case ran; results are in the last.
        inputs: hashes of what it was given. A whole copy of an input, or a link to one,
            may be as damaged as that.
    """
    copies = {(digest, Path(name).suffix) for name, digest in inputs.items()}
    for folder in folders:
        for path in folder.rglob('.*-*'):
            yield f'left {path.name} behind'
    for path in folders[-1].rglob('*'):
        if path.is_symlink() and not path.exists():
            yield f'{path.name} links to nothing'
        elif path.is_file() and not path.name.startswith('.'):
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            if content and (digest, path.suffix) in copies:
                continue
            problem = _unreadable(path)
            if problem:
                yield f'half-written {path.name} ({problem})'


def _unreadable(path: Path) -> str | None:
    read = READERS.get(path.suffix)
    try:
        if read is not None:
            read(path)
        elif not path.stat().st_size:
            return 'empty'
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return None


def _read_picture(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as image:
        image.load()


def _read_torch(path: Path) -> None:
    import torch

    torch.load(path, map_location='cpu', weights_only=True)


def _read_safetensors(path: Path) -> None:
    from safetensors.torch import load_file

    load_file(path)


def _read_video(path: Path) -> None:
    import cv2

    video = cv2.VideoCapture(os.fspath(path))
    assert video.isOpened(), 'cannot be opened'
    assert video.grab(), 'no frame'


def _read_onnx(path: Path) -> None:
    import onnx

    onnx.checker.check_model(onnx.load(path))


def _read_json(path: Path) -> None:
    for text in path.read_text().splitlines() if path.stem == 'scalars' else ():
        json.loads(text)
    if path.stem != 'scalars' and path.stat().st_size:
        json.loads(path.read_text())


READERS: dict[str, Callable[[Path], None]] = {
    '.png': _read_picture,
    '.jpg': _read_picture,
    '.pth': _read_torch,
    '.safetensors': _read_safetensors,
    '.mp4': _read_video,
    '.onnx': _read_onnx,
    '.json': _read_json,
    '.log': lambda path: None,
}
