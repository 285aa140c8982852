"""Draws what a test's report shows: a confusion matrix, and the worst images."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..datasets.bands import read_picture
from ..datasets.overlay import draw_overlay
from ..errors import ImageError
from .report_metric import ImageResult

WIDTH = 640  # of a panel, at most, in pixels
WRONG = (40, 40, 235)  # BGR
MISSING = 128  # grey of an image that cannot be read again


def draw_heat_map(shares: np.ndarray) -> bytes:
    """Draw a confusion matrix (K, K) of shares, 0 to 1, as PNG for any background."""
    from matplotlib.figure import Figure

    right, wrong = np.array([74, 127, 193]) / 255, np.array([230, 110, 30]) / 255
    pixels = np.empty((*shares.shape, 4))
    pixels[..., :3] = wrong
    np.einsum('iij->ij', pixels)[:, :3] = right
    pixels[..., 3] = np.sqrt(np.nan_to_num(shares))  # small shares show, too
    figure = Figure(figsize=(9, 9), layout='tight')
    axes = figure.add_subplot()
    axes.imshow(pixels, interpolation='nearest')
    ticks = np.arange(0, len(shares), 5 if len(shares) <= 60 else 10)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.tick_params(top=True, labeltop=True, right=True, labelright=True)
    axes.grid(color='#8888', linewidth=0.4)
    axes.set_xlabel('predicted class')
    axes.set_ylabel('true class')
    grey = '#888888'
    axes.tick_params(colors=grey)
    for part in (axes.xaxis.label, axes.yaxis.label):
        part.set_color(grey)
    axes.spines[:].set_color(grey)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=130, transparent=True)
    return buffer.getvalue()


@dataclass(frozen=True)
class Panels:
    """The pictures of one image, as the bytes of PNG or JPEG files."""

    pictures: list[tuple[bytes, str]]  # with titles
    present: list[int]  # classes in labels or prediction, most pixels first
    wide: bool  # rather than square or upright


def draw_panels(result: ImageResult, palette: Sequence[Sequence[int]]) -> Panels:
    """Draw the panels of an image whose label maps were kept.

    The image is read from its file; one that is gone by now is left grey.

    Args:
        result: with ``truth`` and ``prediction``.
        palette: RGB of each class.
    """
    assert result.truth is not None
    assert result.prediction is not None
    truth, prediction = _decode(result.truth), _decode(result.prediction)
    counts = np.bincount(truth.ravel(), minlength=len(palette) + 1)
    counts += np.bincount(prediction.ravel(), minlength=len(palette) + 1)
    image = _read(result.path, truth.shape)
    size = _panel_size(*truth.shape)
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    truth, prediction = (
        cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        for labels in (truth, prediction)
    )
    errors = draw_errors(image, truth, prediction, len(palette))
    pictures = [
        (_encode(image, '.jpg'), 'image'),
        (_encode(_colour(truth, palette), '.png'), 'truth'),
        (_encode(_colour(prediction, palette), '.png'), 'prediction'),
        (_encode(errors, '.jpg'), 'errors in red'),
    ]
    order = np.argsort(-counts[:-1], kind='stable')
    present = [int(i) for i in order if counts[i]]
    return Panels(pictures, present, wide=size[0] > 1.6 * size[1])


def draw_errors(
    image: np.ndarray, truth: np.ndarray, prediction: np.ndarray, classes: int
) -> np.ndarray:
    """Paint wrong pixels red over a dimmed grey image; those without label are black.

    Args:
        image: BGR uint8 (H, W, 3).
        truth: labels (H, W), ``classes`` where there is none.
        prediction: labels (H, W).
        classes: number of classes.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    drawn = cv2.cvtColor(90 + (grey // 2), cv2.COLOR_GRAY2BGR)
    drawn[truth != prediction] = WRONG
    drawn[truth == classes] = 0
    return drawn


def _panel_size(height: int, width: int) -> tuple[int, int]:
    """Return (width, height) of a panel: never enlarged, tall ones no larger in all."""
    factor = min(1.0, WIDTH / width, WIDTH / height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _read(path: str, shape: tuple[int, ...]) -> np.ndarray:
    try:
        image = read_picture(path)
    except ImageError:
        return np.full((*shape, 3), MISSING, np.uint8)
    if image.shape[:2] != shape:
        image = cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)
    return image


def _decode(png: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED))


def _colour(labels: np.ndarray, palette: Sequence[Sequence[int]]) -> np.ndarray:
    black = np.zeros((*labels.shape, 3), np.uint8)
    return draw_overlay(black, labels, palette, opacity=1.0)


def _encode(picture: np.ndarray, suffix: str) -> bytes:
    quality = [cv2.IMWRITE_JPEG_QUALITY, 85] if suffix == '.jpg' else []
    return cv2.imencode(suffix, picture, quality)[1].tobytes()
