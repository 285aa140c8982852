"""What an image is like as a config loads it: its bands, its range, a small hash."""

from dataclasses import dataclass

import cv2
import numpy as np
from mmengine.config import Config, ConfigDict

from ...compat.config_types import kind_of
from ...errors import ImageError
from ..bands import read_picture
from ..from_config import image_loader
from ..images import amount, as_picture, read_decoded
from ..tiff import Decoded

LITTLE = 16 / 57  # of a standard deviation: 16 of 255, normalised as ImageNet's
_SIDE = 9  # of the thumbnail: 8 differences in a row


@dataclass(frozen=True)
class Reading:
    """How a config brings images to its network.

    Attributes:
        loader: the transform that reads them; empty for one that is not known here.
        bands: which ``LoadBands`` takes; None takes all.
        channels: that the network takes.
        mean: that is subtracted from each channel; empty where the config has none.
        std: that it is divided by then.
        swaps: whether the channels are turned from BGR to RGB before that.
        crop: (height, width) that a training sees, if the config says so.
    """

    loader: str
    bands: list[int] | None
    channels: int
    mean: list[float]
    std: list[float]
    swaps: bool
    crop: tuple[int, int] | None

    @property
    def units(self) -> float:
        """The least standard deviation of a channel that the config expects."""
        return min(self.std, default=57.0)


def reading_of(cfg: Config, dataset: ConfigDict) -> Reading:
    """Return how ``cfg`` reads the images of one of its data sets."""
    model = cfg.get('model') or {}
    first = image_loader(dataset.get('pipeline'))
    known = first and not {'color_type', 'imdecode_backend'} & set(first)
    normal = model.get('data_preprocessor') or {}
    size = normal.get('size')
    return Reading(
        loader=kind_of(first) if known else '',
        bands=first.get('bands'),
        channels=(model.get('backbone') or {}).get('in_channels', 3),
        mean=list(normal.get('mean') or ()),
        std=list(normal.get('std') or ()),
        swaps=bool(normal.get('bgr_to_rgb') or normal.get('rgb_to_bgr')),
        crop=tuple(size) if isinstance(size, list | tuple) and len(size) == 2 else None,
    )


@dataclass
class LoadedImage:
    """An image as a network gets it, before it is normalised.

    Attributes:
        pixels: (H, W, C); None where the config's loader does not read it.
        kind: type of the numbers in the file.
        largest: value in the file.
        faults: kind and detail of what is wrong with how it is read.
    """

    pixels: np.ndarray | None
    kind: str
    largest: float
    faults: list[tuple[str, str]]


def load_image(reading: Reading, path: str) -> LoadedImage:
    """Decode an image as its config does, and say what is lost of its file.

    Raises:
        ImageError: it is missing or damaged.
        PackageError: it takes a package that is not installed.
    """
    if not reading.loader:
        return LoadedImage(read_picture(path), '', 0, [])
    decoded = read_decoded(path)
    stored, kind = decoded.image, str(decoded.image.dtype)
    if reading.loader == 'LoadBands':
        pixels, faults = _by_bands(reading, stored)
    else:
        pixels, faults = _as_picture(decoded, reading.loader, path)
    return LoadedImage(pixels, kind, float(stored.max()), faults)


_Found = tuple[np.ndarray | None, list[tuple[str, str]]]


def _as_picture(decoded: Decoded, loader: str, path: str) -> _Found:
    stored, kind = decoded.image, str(decoded.image.dtype)
    what, lost = f'{amount(stored.shape[2], "band")} of {kind}', []
    try:
        pixels = as_picture(decoded, f"image '{path}'")
    except ImageError:
        detail = f'{what}, and {loader} reads colours or grey of 8 or 16 bits'
        return None, [('bands not read', detail)]
    if decoded.alpha and (stored[..., -1] != np.iinfo(stored.dtype).max).any():
        lost.append('alpha')
    if kind == 'uint16':
        low = stored & 255
        if low.any() and (low != stored >> 8).any():
            lost.append('the lower 8 bits')
    detail = f'{what}, of which {loader} drops {" and ".join(lost)}'
    return pixels, [('bits or bands lost', detail)] if lost else []


def _by_bands(reading: Reading, stored: np.ndarray) -> _Found:
    count, kind = stored.shape[2], str(stored.dtype)
    taken = list(range(count)) if reading.bands is None else list(reading.bands)
    detail = ''
    if max(taken) >= count:
        detail = f'{count} bands, and LoadBands takes number {max(taken)} (from 0)'
    elif len(taken) != reading.channels:
        detail = f'{len(taken)} bands, and the network takes {reading.channels}'
    if detail:
        return None, [('bands not read', detail)]
    pixels = stored if reading.bands is None else stored[..., taken]
    if kind == 'float32' and not np.isfinite(pixels).all():
        return None, [('not finite', 'such as NaN')]
    return np.ascontiguousarray(pixels), []


def flat_spread(pixels: np.ndarray, units: float) -> float | None:
    """Return how far values of an image (H, W, C) lie apart, in its widest band.

    Returns:
        None where that is enough for a network to see something.
    """
    for some in (pixels[::8, ::8], pixels):  # a sample tells of most that it is
        values = some.reshape(-1, some.shape[2])
        spread = values.max(0).astype(np.float64) - values.min(0)
        if spread.max() >= LITTLE * units:
            return None
    return float(spread.max())


def difference_hash(pixels: np.ndarray, units: float) -> bytes:
    """Hash an image (H, W, C) so that nearly equal ones have nearly equal bits.

    Each bit says whether a ninth of the picture is brighter than its neighbour, 64 to
    the right and 64 below.

    Returns:
        16 bytes; none of a picture with too little in it to tell it from others.
    """
    small = cv2.resize(pixels[..., :3], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = small.reshape(_SIDE, _SIDE, -1).astype(np.float32).mean(2)
    right = grey[:-1, 1:] > grey[:-1, :-1]
    below = grey[1:, :-1] > grey[:-1, :-1]
    plain = any(not 8 <= bits.sum() <= 56 for bits in (right, below))
    if plain or grey.std() < LITTLE / 4 * units:
        return b''
    return np.packbits(np.concatenate([right.ravel(), below.ravel()])).tobytes()
