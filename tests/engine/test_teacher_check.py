import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from sctnet.engine.label_range import LabelRange
from sctnet.engine.seeded_dataset import SeededDataset
from sctnet.engine.teacher_check import check_classes, sanity_report
from sctnet.errors import ConfigError, DataError

NAMES = ('road', 'car', 'sky')


class Log(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append((record.levelname, record.getMessage()))


@pytest.fixture
def log():
    handler = Log()
    logger = logging.getLogger('teacher_check')
    logger.handlers = [handler]
    logger.setLevel('INFO')
    handler.logger = logger
    return handler


def check(log, theirs, ours=NAMES, classes=3, student=3):
    meta = {} if theirs is None else {'classes': theirs}
    teacher = SimpleNamespace(num_classes=classes, dataset_meta=meta)
    check_classes(SimpleNamespace(num_classes=student), teacher, ours, log.logger)
    return log.lines


@pytest.mark.parametrize(
    ('theirs', 'level', 'said'),
    [
        (NAMES, 'INFO', '0 road, 1 car, 2 sky'),
        (None, 'WARNING', 'names no classes'),
        # The weights decide the number; a file may name other classes than it has.
        (('road', 'car'), 'WARNING', 'names 2 classes'),
    ],
)
def test_names_are_shown_or_cannot_be_checked(theirs, level, said, log):
    ((found, text),) = check(log, theirs)
    assert found == level
    assert said in text


def test_other_names_or_another_order_are_a_warning_that_marks_them(log):
    (_, table), (level, warning) = check(log, ('road', 'sky', 'car'))
    assert '0 road, 1 sky / car (!), 2 car / sky (!)' in table
    assert level == 'WARNING'
    assert '2 of 3 class names' in warning


def test_other_number_of_classes_is_an_error(log):
    with pytest.raises(ConfigError, match='teacher has 4 classes and the data set 3'):
        check(log, NAMES, classes=4)
    with pytest.raises(ConfigError, match='student has 2 classes and the data set 3'):
        check(log, NAMES, student=2)


class Scenes:
    """A data set of label maps, loaded as mmseg's pipelines do."""

    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        sample = SegDataSample(metainfo={'seg_map_path': f'{index}.png'})
        sample.gt_sem_seg = PixelData(data=torch.as_tensor(self.labels[index])[None])
        return {'inputs': torch.zeros(3, 4, 6), 'data_samples': sample}


class Knowing:
    """A teacher that answers with what it was given."""

    num_classes = 3
    dtype = None

    def __init__(self, answers):
        self.answers = iter(answers)

    def predict(self, image, data_samples):
        sample = SegDataSample()
        sample.pred_sem_seg = PixelData(data=torch.as_tensor(next(self.answers))[None])
        return [sample]


def checked(labels):
    return SeededDataset(Scenes(labels), labels=LabelRange(3))


def report(log, train, val, answers, images):
    def preprocess(batch, training):
        return batch

    runner = SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=checked(train)),
        val_dataloader=SimpleNamespace(dataset=checked(val)),
        val_loop=True,
        logger=log.logger,
    )
    student = SimpleNamespace(
        decode_head=SimpleNamespace(ignore_index=255), data_preprocessor=preprocess
    )
    return sanity_report(runner, student, Knowing(answers), images)


def test_a_teacher_in_half_precision_says_what_that_costs(log, monkeypatch):
    errors = iter([0.01, 0.03])
    monkeypatch.setattr(Knowing, 'dtype', 'bf16')
    monkeypatch.setattr(
        Knowing,
        'rounding',
        lambda teacher, image: {'stage 1': next(errors), 'logits': 0.5, 'labels': 0.75},
        raising=False,
    )
    truth = maps(2)
    report(log, truth, truth, truth, images=2)
    assert log.lines[-1] == (
        'INFO',
        'in bf16 the teacher differs from float32: stage 1 by 2.00 %, logits by '
        '50.00 %; 75.00 % of its labels stay',
    )


def maps(count, seed=0):
    return np.random.default_rng(seed).integers(0, 3, (count, 4, 6))


def test_miou_of_a_perfect_teacher_is_100_over_the_images_asked_for(log):
    truth = maps(9)
    truth[:, 0] = 255  # ignored
    assert report(log, maps(2), truth, truth[[0, 4, 8]], images=3) == 100
    assert (
        'INFO',
        'the teacher reaches 100.00 mIoU on 3 validation images',
    ) in log.lines


def test_miou_is_mmsegs(log):
    truth, answers = maps(4), maps(4, seed=1)
    inside = [(answers == c) & (truth == c) for c in range(3)]
    either = [(answers == c) | (truth == c) for c in range(3)]
    expected = 100 * np.mean(
        [i.sum() / e.sum() for i, e in zip(inside, either, strict=True)]
    )
    assert report(log, truth, truth, answers, images=9) == pytest.approx(expected)


def test_teacher_that_knows_nothing_is_a_warning(log):
    truth = maps(2)
    report(log, truth, truth, (truth + 1) % 3, images=2)
    assert any('hardly above chance' in text for _, text in log.lines)


@pytest.mark.parametrize(('same', 'said'), [(True, 1), (False, 0)])
def test_teacher_that_gives_one_class_alone_is_a_warning(log, same, said):
    truth = maps(2)
    report(log, truth, truth, np.zeros_like(truth) if same else truth, images=2)
    assert sum('the same class' in text for _, text in log.lines) == said


@pytest.mark.parametrize('where', ['train', 'val'])
@pytest.mark.parametrize('label', [3, -1, 254])
def test_labels_outside_the_classes_name_file_and_labels(log, where, label):
    sets = {'train': maps(2), 'val': maps(2)}
    sets[where][1, 2, 3] = label
    with pytest.raises(
        DataError, match=rf"'1.png' has labels \[{label}\] outside the 3"
    ):
        report(log, sets['train'], sets['val'], sets['val'], images=2)
