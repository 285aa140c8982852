import cv2
import numpy as np
import pytest
import torch
from mmseg.evaluation import IoUMetric

from sctnet.errors import DataError
from sctnet.evaluation import ReportMetric
from sctnet.evaluation.confusion import figures_of

META = {'classes': ('a', 'b', 'c'), 'palette': [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}


def sample(name, errors, size=(8, 10), ignored=0):
    """An image whose first ``errors`` pixels are wrong."""
    truth = torch.arange(size[0] * size[1]) % 3
    prediction = truth.clone()
    prediction[:errors] = (truth[:errors] + 1) % 3
    truth[truth.numel() - ignored :] = 255
    return {
        'img_path': name,
        'gt_sem_seg': {'data': truth.view(1, *size).to(torch.uint8)},
        'pred_sem_seg': {'data': prediction.view(1, *size)},
    }


def metric(samples, **options):
    report = ReportMetric(**options)
    report.dataset_meta = META
    for one in samples:
        report.process({}, [one])
    return report


def names(results):
    return [result.path for result in results]


def decode(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


def test_it_finds_what_mmsegs_metric_finds_and_adds_nothing_to_the_log():
    samples = [sample(str(i), 7 * i, ignored=i) for i in range(6)]
    report, iou = metric(samples), IoUMetric()
    iou.dataset_meta = META
    iou.process({}, samples)
    expected = iou.evaluate(len(samples))
    assert report.evaluate(len(samples)) == {}
    figures = figures_of(report.found.matrix)
    assert round(figures.mean_iou, 2) == pytest.approx(expected['mIoU'])
    assert names(report.found.images) == list('012345')


def test_label_maps_of_the_worst_alone_are_kept():
    errors = [5, 60, 1, 30, 50, 40, 0]
    report = metric([sample(str(e), e, ignored=4) for e in errors], worst=3)
    held = [r for r in report.results if r.prediction is not None]
    assert len(held) == 4  # one more than asked for
    report.evaluate(len(errors))
    assert names(report.found.worst) == ['60', '50', '40']
    worst = report.found.worst[0]
    original = sample('60', 60, ignored=4)
    truth = original['gt_sem_seg']['data'][0].numpy()
    assert (decode(worst.truth) == np.where(truth == 255, 3, truth)).all()
    prediction = original['pred_sem_seg']['data'][0].numpy()
    assert (decode(worst.prediction) == prediction).all()


def test_image_that_pads_a_process_takes_no_place_of_the_worst():
    report = metric([sample(str(e), e) for e in (10, 50, 20, 50)], worst=2)
    report.evaluate(3)  # the fourth is mmengine's to drop
    assert names(report.found.images) == ['10', '50', '20']
    assert names(report.found.worst) == ['50', '20']
    assert report.found.matrix.sum() == 240


def test_images_without_a_labelled_pixel_are_not_the_worst():
    report = metric([sample('none', 0, ignored=80), sample('some', 10)])
    report.evaluate(2)
    assert names(report.found.worst) == ['some']
    assert np.isnan(report.found.images[0].miou)


def test_a_second_test_starts_anew():
    report = metric([sample('old', 70), sample('older', 75)], worst=1)
    report.evaluate(2)
    report.process({}, [sample('new', 2), sample('newer', 1)])
    report.process({}, [sample('newest', 0)])
    report.evaluate(3)
    assert names(report.found.worst) == ['new']


def test_image_without_labels_is_one_sentence():
    without = sample('x.png', 0)
    del without['gt_sem_seg']
    with pytest.raises(DataError, match=r"'x.png' has no label map.* drop --report"):
        metric([without])


def test_more_classes_than_a_byte_holds_are_kept(monkeypatch):
    monkeypatch.setitem(META, 'classes', tuple(map(str, range(300))))
    monkeypatch.setitem(META, 'palette', None)
    one = sample('x', 5)
    one['pred_sem_seg']['data'][0, 0, 0] = 299
    report = metric([one])
    report.evaluate(1)
    assert decode(report.found.worst[0].prediction)[0, 0] == 299
    assert len(report.found.palette) == 300
