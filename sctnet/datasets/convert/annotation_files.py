"""Reading annotations: text, JSON, points of shapes, and masks without loss."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from ...errors import DataError
from ..images import LOSSY

LOSSLESS = ('.png', '.bmp', '.tif', '.tiff', '.gif')
FARTHEST = 100_000  # pixels; libraries that draw shapes overflow far beyond


def read_text(path: Path) -> str:
    """Read a text file; raises DataError."""
    try:
        return path.read_text(encoding='utf-8-sig')
    except OSError as error:
        raise DataError(
            f"'{path}' cannot be read ({error.strerror}): check the path"
        ) from error
    except ValueError as error:
        raise DataError(f"'{path}' is no text in UTF-8: save it as UTF-8") from error


def is_lossy(path: Path) -> bool:
    """Whether a file's name says that it is packed with loss."""
    return path.suffix.lower() in LOSSY


def beginning(path: Path) -> bytes:
    """Return the first bytes of a file; none, if it cannot be read."""
    try:
        with open(path, 'rb') as opened:
            return opened.read(1000)
    except OSError:
        return b''


def keys_in(path: Path, *keys: str) -> set[str]:
    """Return which keys a JSON file has somewhere; it may be large: it is not parsed.

    There are none in a file that cannot be read.
    """
    try:
        text = read_text(path)
    except DataError:
        return set()
    return {key for key in keys if f'"{key}"' in text}


def read_json(path: Path, form: str = '{"images": [...], ...}') -> dict[str, Any]:
    """Read a JSON file that holds an object; ``form`` is how one looks, for messages.

    Raises:
        DataError: it cannot be read, is damaged, or holds something else.
    """
    contents = read_any_json(path)
    if not isinstance(contents, dict):
        raise DataError(
            f"'{path}' holds a {type(contents).__name__}: expected a JSON object, "
            f'such as {form}; name another file, or write it again'
        )
    return contents


def read_any_json(path: Path) -> Any:
    """Read a JSON file; raises DataError."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"'{path}' is no JSON, or is cut off ({error}): export it again"
        ) from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds an object; raises DataError."""
    try:
        contents = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise DataError(f"'{path}' is no YAML ({error}): export it again") from error
    if not isinstance(contents, dict):
        raise DataError(f"'{path}' has no names and parts: expected YOLO's data.yaml")
    return contents


def as_points(values: Any) -> list[tuple[float, float]]:
    """Turn pairs of numbers into points (x, y); raises DataError."""
    try:
        points = [(float(x), float(y)) for x, y in values]
    except (TypeError, ValueError) as error:
        raise DataError(
            'a shape has points that are no pairs of numbers: draw it again'
        ) from error
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            raise DataError(
                f'a shape has the point ({x}, {y}), expected finite numbers: draw it '
                'again'
            )
        if max(abs(x), abs(y)) > FARTHEST:
            raise DataError(
                f'a shape has the point ({x:g}, {y:g}), more than {FARTHEST} pixels '
                'off: coordinates are in pixels; draw it again'
            )
    return points


class ColouredMaskError(DataError):
    """A mask of colours, where one number a pixel is expected."""


def read_values(path: Path) -> np.ndarray:
    """Read a mask of one number a pixel, of 1 to 32 bits, to integers (H, W).

    A grey mask that is stored in colours, all three alike, counts as grey.

    Raises:
        DataError: the mask is missing, damaged, or in colours.
    """
    return _values_of(_open_mask(path), path)


def read_values_and_palette(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read what ``read_values`` does, and the RGB of each value, uint8 (N, 3).

    N is 0 where the mask has no palette.
    """
    mask = _open_mask(path)
    palette = mask.getpalette('RGB') if mask.mode == 'P' else None
    return _values_of(mask, path), np.array(palette or [], np.uint8).reshape(-1, 3)


def _values_of(mask: Image.Image, path: Path) -> np.ndarray:
    values = np.asarray(mask)
    if mask.mode in ('LA', 'PA', 'RGBA'):
        alpha, values = values[..., -1], values[..., :-1]
        if alpha.min() != alpha.max():
            raise DataError(
                f"mask '{path}' is partly transparent: expected one number a pixel; "
                'export it without transparency'
            )
    if values.ndim == 3:
        same = (values[..., :3] == values[..., :1]).all()
        if not same:
            raise ColouredMaskError(
                f'mask \'{path}\' is in colours: convert it with the format "colours", '
                'which takes a list of them'
            )
        values = values[..., 0]
    if values.dtype.kind == 'f':
        if (values != values.round()).any():
            raise DataError(
                f"mask '{path}' holds fractions: expected one whole number a pixel"
            )
        values = values.astype(np.int64)
    return values.astype(np.uint8) if values.dtype == bool else values


def read_colours(path: Path, lossy: bool = False) -> np.ndarray:
    """Read a mask to RGB uint8 (H, W, 3): palettes are looked up, alpha is dropped.

    Args:
        path: of the mask.
        lossy: take JPEG and WebP, too.

    Raises:
        DataError: the mask is missing, damaged, or has more than 8 bits a channel.
    """
    mask = _open_mask(path, lossy)
    if mask.mode not in ('P', 'PA', 'L', 'LA', '1', 'RGB', 'RGBA'):
        raise DataError(
            f"mask '{path}' has pixels of kind {mask.mode}: expected RGB or a palette "
            'with 8 bits a channel; export it again'
        )
    return np.asarray(mask.convert('RGB'))


def _open_mask(path: Path, lossy: bool = False) -> Image.Image:
    try:
        with Image.open(path) as opened:
            mask = opened.copy()
            kind, compression = opened.format, opened.info.get('compression')
            pages = getattr(opened, 'n_frames', 1)
    except FileNotFoundError as error:
        raise DataError(f"there is no mask '{path}': add it") from error
    except Exception as error:  # Pillow has many for damaged files
        raise DataError(
            f"mask '{path}' cannot be read ({error}): export it again"
        ) from error
    if pages > 1:
        raise DataError(
            f"mask '{path}' has {pages} pages: expected one; export each as a file"
        )
    if not lossy and (kind in ('JPEG', 'MPO', 'WEBP') or compression == 'jpeg'):
        raise DataError(
            f"mask '{path}' is a JPEG or WebP, which changes colours at every edge: "
            'export the masks as PNG, or take the nearest colours with --colours and '
            '--tolerance 100'
        )
    return mask
