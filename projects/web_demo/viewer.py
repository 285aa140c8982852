"""What the viewer in the page gets: a picture, its label map, and its classes.

The browser colours the label map and blends it over the picture, so that opacity and
highlighting need neither the network nor the server.
"""

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from session import Result

LARGEST = 1600  # pixels of a side that are sent to the browser
HERE = Path(__file__).parent
SEEDED_NOTE = 'Seeded random weights: these labels mean nothing.'


def template(kind: str) -> str:
    """Return the viewer's part of a ``kind``: ``html``, ``css`` or ``js``."""
    return (HERE / f'viewer.{kind}').read_text(encoding='utf-8')


def page_data(result: Result, latency: str) -> str:
    """Return the JSON that ``viewer.js`` shows.

    Args:
        result: of :meth:`session.Session.segment`.
        latency: the line below the picture.
    """
    image, labels = shrink(result.image, result.labels)
    classes = legend(result)
    data: dict[str, Any] = {
        'image': _data_uri('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 88]),
        'labels': _data_uri('.png', pack(labels), [cv2.IMWRITE_PNG_COMPRESSION, 1]),
        'classes': classes,
        'absent': len(result.classes) - len(classes),
        'latency': latency,
        'note': SEEDED_NOTE if result.seeded else '',
    }
    return json.dumps(data)


def error_data(text: str) -> str:
    """Return the JSON that makes ``viewer.js`` show a sentence and no picture."""
    return json.dumps({'error': text})


def legend(result: Result) -> list[dict[str, Any]]:
    """Index, name, colour and share (0 to 1) of what occurs, the largest first."""
    counts = np.bincount(result.labels.ravel(), minlength=len(result.classes))
    order = np.argsort(-counts, kind='stable')
    return [
        {
            'index': int(index),
            'name': result.classes[index],
            'colour': [int(value) for value in result.palette[index]],
            'share': float(counts[index] / result.labels.size),
        }
        for index in order
        if counts[index] and index < len(result.classes)
    ]


def shrink(image: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring an image (H, W, 3) and its label map (H, W) below ``LARGEST`` a side."""
    scale = LARGEST / max(labels.shape)
    if scale >= 1:
        return image, labels
    size = tuple(max(1, round(side * scale)) for side in labels.shape[::-1])
    return (
        cv2.resize(image, size, interpolation=cv2.INTER_AREA),
        cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST),
    )


def pack(labels: np.ndarray) -> np.ndarray:
    """Put class indices (H, W) into BGR: the low byte in red, the high one in green."""
    low, high = labels & 255, labels >> 8
    return cv2.merge([np.zeros_like(low), high, low]).astype(np.uint8)


def _data_uri(suffix: str, picture: np.ndarray, options: list[int]) -> str:
    kind = {'.jpg': 'jpeg', '.png': 'png'}[suffix]
    data = base64.b64encode(cv2.imencode(suffix, picture, options)[1]).decode()
    return f'data:image/{kind};base64,{data}'
