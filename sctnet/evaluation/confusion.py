"""Which class was taken for which: counts of an image, figures of a whole test set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


def clean_labels(labels: Tensor, classes: int) -> Tensor:
    """Return integer ``labels`` with ``classes`` wherever they are no class."""
    outside = (labels < 0) | (labels >= classes)
    return labels.long().masked_fill(outside, classes)


def count_pairs(
    truth: Tensor, prediction: Tensor, classes: int, ignore_index: int
) -> Tensor:
    """Count the pairs of true and predicted class of one image.

    Args:
        truth: labels (H, W).
        prediction: labels (H, W).
        classes: number of classes, K.
        ignore_index: pixels of this true label count nothing.

    Returns:
        int64 (K + 1, K + 1), truth by prediction, on the labels' device. The last row
        and column hold labels that are no class; mmseg's IoU knows them, too: a class
        predicted there is wrong.
    """
    size = classes + 1
    kept = truth != ignore_index
    true = clean_labels(truth[kept], classes)
    pairs = true * size + clean_labels(prediction[kept], classes)
    return torch.bincount(pairs, minlength=size * size).view(size, size)


@dataclass(frozen=True)
class SparseCounts:
    """The counts of one image that are not zero; a test keeps one for each image.

    Most of the K * K pairs never meet in one image.
    """

    places: np.ndarray  # int32, of the flattened (K + 1, K + 1)
    counts: np.ndarray  # int64

    @classmethod
    def of(cls, matrix: np.ndarray) -> 'SparseCounts':
        """Keep the non-zero counts of ``matrix`` (K + 1, K + 1)."""
        flat = matrix.ravel()
        places = np.flatnonzero(flat)
        return cls(places.astype(np.int32), flat[places].astype(np.int64))


def sum_counts(parts: Iterable[SparseCounts], classes: int) -> np.ndarray:
    """Add the counts of images up to one matrix, int64 (K + 1, K + 1)."""
    total = np.zeros((classes + 1) ** 2, np.int64)
    for part in parts:
        total[part.places] += part.counts  # the places of one image are distinct
    return total.reshape(classes + 1, classes + 1)


@dataclass(frozen=True)
class Figures:
    """The figures of a confusion matrix, in percent; NaN for what has no pixel.

    They are those of mmseg's ``IoUMetric``, which rounds the means to two digits.
    """

    mean_iou: float
    mean_accuracy: float
    accuracy: float  # of all pixels
    iou: np.ndarray  # (K,)
    class_accuracy: np.ndarray  # (K,)
    truth_share: np.ndarray  # (K,), of all labelled pixels
    predicted_share: np.ndarray  # (K,)


def figures_of(matrix: np.ndarray, nan_to_num: float | None = None) -> Figures:
    """Compute the figures of a matrix (K + 1, K + 1).

    Args:
        matrix: counts, truth by prediction.
        nan_to_num: IoU and accuracy of classes without a pixel, as in ``IoUMetric``
            from 0 to 1; None leaves them out of the means.
    """
    hits = np.diagonal(matrix)[:-1].astype(float)
    truth = matrix.sum(axis=1)[:-1].astype(float)
    predicted = matrix.sum(axis=0)[:-1].astype(float)
    with np.errstate(invalid='ignore', divide='ignore'):
        iou = hits / (truth + predicted - hits)
        accuracy = hits / truth
        all_pixels = hits.sum() / truth.sum()
    if nan_to_num is not None:
        iou, accuracy = (np.nan_to_num(x, nan=nan_to_num) for x in (iou, accuracy))
    labelled = max(matrix.sum(), 1)
    return Figures(
        mean_iou=_mean(iou),
        mean_accuracy=_mean(accuracy),
        accuracy=float(all_pixels * 100),
        iou=iou * 100,
        class_accuracy=accuracy * 100,
        truth_share=truth / labelled * 100,
        predicted_share=predicted / labelled * 100,
    )


def image_scores(matrix: np.ndarray) -> tuple[float, float]:
    """Return the mIoU over the classes of an image's truth, and its pixel accuracy.

    Both in percent, and NaN where no pixel is labelled. Classes that are predicted
    without being there lower the IoU of those that are.
    """
    figures = figures_of(matrix)
    return _mean(figures.iou[figures.truth_share > 0] / 100), figures.accuracy


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean() * 100) if known.size else float('nan')


@dataclass(frozen=True)
class Confusion:
    """Pixels of one class that were taken for another."""

    truth: str
    prediction: str
    pixels: int
    share: float  # of the true class's pixels, in percent


def top_confusions(
    matrix: np.ndarray, classes: Sequence[str], count: int
) -> list[Confusion]:
    """Return up to ``count`` confusions of most pixels, from a (K + 1, K + 1)."""
    size = len(classes)
    wrong = matrix[:size, :size].copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind='stable')[:count]
    totals = matrix[:size].sum(axis=1)
    found = []
    for place in order:
        true, predicted = divmod(int(place), size)
        pixels = int(wrong[true, predicted])
        if pixels:
            share = 100 * pixels / int(totals[true])
            found.append(Confusion(classes[true], classes[predicted], pixels, share))
    return found
