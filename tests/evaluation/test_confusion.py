import numpy as np
import pytest
import torch
from mmseg.evaluation import IoUMetric

from sctnet.evaluation.confusion import (
    SparseCounts,
    count_pairs,
    figures_of,
    image_scores,
    sum_counts,
    top_confusions,
)

CLASSES = 5


def label_maps(seed, low=0, high=CLASSES):
    """Truth with ignored pixels, and a prediction that is often right."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.randint(low, high, (40, 30), generator=generator)
    wrong = torch.rand(40, 30, generator=generator) < 0.4
    other = torch.randint(0, CLASSES, (40, 30), generator=generator)
    prediction = torch.where(wrong, other, truth.clamp(0, CLASSES - 1))
    truth[torch.rand(40, 30, generator=generator) < 0.1] = 255
    return truth, prediction


def mmseg_areas(truth, prediction):
    return IoUMetric.intersect_and_union(prediction, truth, CLASSES, 255)


@pytest.mark.parametrize('high', [CLASSES, CLASSES + 3, CLASSES - 2])
@pytest.mark.parametrize('nan_to_num', [None, 0])
def test_figures_are_those_of_mmsegs_metric(high, nan_to_num):
    """Also with labels that are no class, and with classes that are nowhere."""
    pairs = [label_maps(seed, high=high) for seed in range(4)]
    if high < CLASSES:
        pairs = [(truth, prediction.clamp(0, high - 1)) for truth, prediction in pairs]
    areas = [sum(parts) for parts in zip(*(mmseg_areas(*p) for p in pairs))]  # noqa: B905
    expected = IoUMetric.total_area_to_metrics(*areas, nan_to_num=nan_to_num)
    matrices = [count_pairs(*p, CLASSES, 255).numpy() for p in pairs]
    total = sum_counts(map(SparseCounts.of, matrices), CLASSES)
    assert (total == sum(matrices)).all()
    figures = figures_of(total, nan_to_num)
    close = {'rtol': 1e-5, 'equal_nan': True}
    np.testing.assert_allclose(figures.iou, expected['IoU'] * 100, **close)
    np.testing.assert_allclose(figures.class_accuracy, expected['Acc'] * 100, **close)
    for ours, theirs in (
        (figures.mean_iou, np.nanmean(expected['IoU'])),
        (figures.mean_accuracy, np.nanmean(expected['Acc'])),
        (figures.accuracy, expected['aAcc']),
    ):
        assert round(ours, 2) == pytest.approx(round(float(theirs) * 100, 2), abs=1e-9)


def test_rows_are_truth_and_what_is_no_class_comes_last():
    truth = torch.tensor([[0, 0, 1, 7], [255, 1, 1, 0]])
    prediction = torch.tensor([[0, 1, 1, 0], [1, 0, 9, 0]])
    assert count_pairs(truth, prediction, 2, 255).tolist() == [
        [2, 1, 0],
        [1, 1, 1],
        [1, 0, 0],
    ]


def test_an_image_is_scored_by_the_classes_of_its_truth():
    matrix = np.array([[6, 2, 0], [0, 0, 0], [0, 0, 0]])
    assert image_scores(matrix) == (75, 75)  # not halved by the class predicted
    assert np.isnan(image_scores(np.zeros((3, 3), int))).all()


def test_top_confusions_are_those_of_most_pixels():
    matrix = np.array([[90, 10, 0, 0], [30, 10, 0, 0], [0, 0, 7, 5], [0, 0, 0, 0]])
    first, second = top_confusions(matrix, ['a', 'b', 'c'], 5)
    assert (first.truth, first.prediction, first.pixels) == ('b', 'a', 30)
    assert first.share == 75
    assert (second.truth, second.prediction, second.share) == ('a', 'b', 10)
    assert top_confusions(matrix, ['a', 'b', 'c'], 1) == [first]
