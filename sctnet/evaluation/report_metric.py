"""Collects, while a test runs, what its report shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from mmengine.evaluator import BaseMetric
from mmseg.registry import METRICS
from torch import Tensor

from ..datasets.overlay import distinct_colours
from ..errors import DataError
from .confusion import SparseCounts, clean_labels, count_pairs, image_scores, sum_counts

NO_LABELS = (
    '--report compares predictions with labels, but {what}: name a test set with '
    'labels, or drop --report'
)


@dataclass
class ImageResult:
    """What is kept of one image."""

    path: str
    counts: SparseCounts
    miou: float  # over the classes of its truth, in percent; NaN without labels
    accuracy: float  # of its labelled pixels, in percent
    # Label maps as PNG, K for what is no class; of the worst images alone.
    truth: bytes | None = None
    prediction: bytes | None = None

    @property
    def rank(self) -> tuple[float, float]:
        """What orders images from the worst to the best."""
        return self.miou, self.accuracy


@dataclass(frozen=True)
class Results:
    """What a test found."""

    classes: tuple[str, ...]
    palette: list[list[int]]  # RGB
    matrix: np.ndarray  # int64 (K + 1, K + 1), as `count_pairs` gives it
    images: list[ImageResult]  # in the order of the data set
    worst: list[ImageResult]  # those whose label maps were kept, worst first
    nan_to_num: float | None = None  # of IoU and accuracy of classes without a pixel


@METRICS.register_module()
class ReportMetric(BaseMetric):
    """Keeps confusions and scores of every image, and label maps of the worst.

    It adds no figure to the log. Of each image it keeps the pairs of classes that met,
    a few hundred numbers: added up at the end, when mmengine has dropped the images
    that it gave to a process only to give each as many. After ``evaluate``, on the
    main process, the attribute ``found`` is what was found.

    Args:
        worst: number of images whose label maps are kept.
        ignore_index: true label of pixels that count nothing.
        nan_to_num: as in mmseg's ``IoUMetric``.
        **kwargs: those of mmengine's ``BaseMetric``.
    """

    default_prefix = 'report'

    def __init__(
        self,
        worst: int = 12,
        ignore_index: int = 255,
        nan_to_num: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.worst = worst
        self.ignore_index = ignore_index
        self.nan_to_num = nan_to_num
        self.found: Results | None = None
        self._kept: list[ImageResult] = []

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Take in the predictions of a batch.

        Raises:
            DataError: an image has no labels.
        """
        classes = len(self.dataset_meta['classes'])
        if not self.results:  # of a new test
            self._kept.clear()
        for sample in data_samples:
            path = str(sample.get('img_path', ''))
            if 'gt_sem_seg' not in sample:
                raise DataError(NO_LABELS.format(what=f"'{path}' has no label map"))
            prediction = _label_map(sample['pred_sem_seg'])
            truth = _label_map(sample['gt_sem_seg']).to(prediction.device)
            pairs = count_pairs(truth, prediction, classes, self.ignore_index)
            matrix = pairs.cpu().numpy()
            scores = image_scores(matrix)
            result = ImageResult(path, SparseCounts.of(matrix), *scores)
            self.results.append(result)
            if self._is_among_worst(result):
                truth = truth.masked_fill(truth == self.ignore_index, -1)
                result.truth = _encode(truth, classes)
                result.prediction = _encode(prediction, classes)

    def _is_among_worst(self, result: ImageResult) -> bool:
        """Make room for ``result`` among the worst if it belongs there.

        One more than asked for: an image that pads this process's share is dropped
        later.
        """
        if np.isnan(result.miou):
            return False
        self._kept = sorted([*self._kept, result], key=lambda one: one.rank)
        for dropped in self._kept[self.worst + 1 :]:
            dropped.truth = dropped.prediction = None
        del self._kept[self.worst + 1 :]
        return any(one is result for one in self._kept)

    def compute_metrics(self, results: list[ImageResult]) -> dict[str, float]:
        """Keep what was found of all images, in ``found``; return no figure."""
        names = tuple(map(str, self.dataset_meta['classes']))
        palette = self.dataset_meta.get('palette') or distinct_colours(len(names))
        kept = [result for result in results if result.prediction is not None]
        self.found = Results(
            classes=names,
            palette=[list(map(int, colour)) for colour in palette],
            matrix=sum_counts((result.counts for result in results), len(names)),
            images=results,
            worst=sorted(kept, key=lambda result: result.rank)[: self.worst],
            nan_to_num=self.nan_to_num,
        )
        return {}


def _label_map(pixels: dict[str, Tensor]) -> Tensor:
    """Return (H, W) of mmseg's (1, H, W)."""
    data = pixels['data']
    return data.reshape(data.shape[-2:]).long()


def _encode(labels: Tensor, classes: int) -> bytes:
    kind = np.uint8 if classes < 256 else np.uint16
    picture = clean_labels(labels, classes).cpu().numpy().astype(kind)
    return cv2.imencode('.png', picture)[1].tobytes()
