"""Labels outside the classes are found in a loader's worker, with their file."""

import re
from types import SimpleNamespace

import cv2
import pytest
import torch
from mmengine.runner import Runner as PlainRunner
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs
from mmseg.models.segmentors import SegTTAModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from own_folder import dataset_config, label_path, write, write_own_data
from torch import nn
from torch.utils.data import DataLoader

from sctnet.cli.library_errors import explain_run
from sctnet.datasets.check_labels import check_labels, smallest_type
from sctnet.engine.label_range import LabelRange, learnt_labels, measured_labels
from sctnet.engine.runner import Runner
from sctnet.engine.seeded_dataset import SeededDataset
from sctnet.errors import ConfigError, DataError


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path, train=2, val=2)


def folder(root, part='train', last='PackSegInputs'):
    kinds = ('LoadImageFromFile', 'LoadAnnotations', last)
    return dataset_config(root, part, [{'type': kind} for kind in kinds])


def put_label(root, value, part='train', number=1):
    path = label_path(root, part, number)
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    labels[3, 5] = value
    write(path, labels)
    return path


def test_a_worker_names_the_file_and_never_skips_it(root):
    path = put_label(root, 9)
    data = SeededDataset(folder(root), skip_broken=True, labels=LabelRange(3))
    with pytest.raises(DataError) as raised, explain_run():
        list(DataLoader(data, num_workers=1, collate_fn=list))
    said = rf"'{path}' has labels \[9\] outside the 3 classes \(0 to 2, and 255 to ig"
    assert re.match(said, str(raised.value))
    assert '\n' not in str(raised.value)  # nor the worker's traceback


@pytest.mark.parametrize('labels', [LabelRange(10), LabelRange(3, (9,)), None])
def test_what_is_a_class_or_ignored_or_unknown_passes(root, labels):
    put_label(root, 9)
    sample = SeededDataset(folder(root), labels=labels)[1]['data_samples']
    assert 9 in sample.gt_sem_seg.data


class PackTwice(PackSegInputs):
    """Lists what it packs, as test-time augmentation does."""

    def transform(self, results):
        packed = super().transform(results)
        return {key: [value, value] for key, value in packed.items()}


def test_each_view_of_test_time_augmentation_is_looked_at(root):
    put_label(root, 9)
    data = SeededDataset(folder(root, last=PackTwice), labels=LabelRange(3))
    assert len(data[0]['data_samples']) == 2
    with pytest.raises(DataError, match=r'labels \[9\] outside'):
        data[1]


@pytest.mark.parametrize(
    ('labels', 'expected'),
    [
        (LabelRange(19), torch.uint8),
        (LabelRange(256, ()), torch.uint8),
        (LabelRange(300), torch.int16),
        (LabelRange(19, (-100,)), torch.int8),
        (LabelRange(200, (-100,)), torch.int16),
        (LabelRange(40_000), torch.int32),
    ],
)
def test_labels_can_take_the_smallest_type_that_holds_all(root, labels, expected):
    assert smallest_type(labels.count, *labels.ignored) is expected
    plain, small = (
        SeededDataset(folder(root), labels=labels, small_labels=small)[0][
            'data_samples'
        ].gt_sem_seg.data
        for small in (False, True)
    )
    assert (plain.dtype, small.dtype) == (torch.int64, expected)
    assert torch.equal(small.long(), plain)


@pytest.mark.parametrize('value', [-1, 256 + 1, 2**40])
def test_a_label_that_the_small_type_would_wrap_is_not_lost(value):
    labels = torch.tensor([[0, value, 255]])
    with pytest.raises(DataError, match=rf'x has labels \[{value}\] outside'):
        check_labels(labels, 19, 255, 'x')


def test_labels_are_integers_of_any_type():
    for dtype in (torch.bool, torch.uint8, torch.int32, torch.uint16):
        assert check_labels(torch.ones(3).to(dtype), 2, 255, 'x').tolist() == [1] * 3
    assert not check_labels(torch.empty(0, dtype=torch.int64), 2, 255, 'x').numel()
    with pytest.raises(DataError, match='x has labels of type float32: expected one'):
        check_labels(torch.ones(3), 2, 255, 'x')


def head(num_classes=19, out_channels=None, ignore_index=255):
    made = nn.Identity()
    made.num_classes, made.ignore_index = num_classes, ignore_index
    made.out_channels = out_channels or num_classes
    return made


def model_of(decode, auxiliary=None, **preprocessor):
    model = nn.Module()
    model.decode_head, model.auxiliary_head = decode, auxiliary
    model.data_preprocessor = SimpleNamespace(**preprocessor)
    return model


@pytest.mark.parametrize(
    ('decode', 'auxiliary', 'expected'),
    [
        (head(), None, LabelRange(19)),
        (nn.ModuleList([head(), head(7)]), head(9), LabelRange(7)),  # a cascade
        (head(1, out_channels=1), None, LabelRange(2)),  # one sigmoid
        (head(300, ignore_index=-100), None, LabelRange(300, (-100,))),
        (head(), head(ignore_index=254), LabelRange(19, ())),  # none ignored by both
    ],
)
def test_a_model_learns_what_all_its_heads_know(decode, auxiliary, expected):
    model = model_of(decode, auxiliary)
    assert learnt_labels(model) == expected
    model.test_step = print  # which test-time augmentation asks for
    assert learnt_labels(SegTTAModel(module=model)) == expected
    assert learnt_labels(nn.Linear(1, 1)) is None


def test_padding_with_what_is_no_class_is_refused():
    padded = {'size': (64, 64), 'seg_pad_val': 255}
    assert learnt_labels(model_of(head(), **padded)) == LabelRange(19)
    assert learnt_labels(model_of(head(ignore_index=-100), seg_pad_val=255, size=None))
    with pytest.raises(ConfigError, match=r'seg_pad_val=255 pads .* ignore -100: set'):
        learnt_labels(model_of(head(ignore_index=-100), **padded))


@pytest.mark.parametrize(
    ('evaluator', 'ignored'),
    [
        ({'type': 'IoUMetric'}, (255,)),
        ([{'type': 'IoUMetric', 'ignore_index': 0}, SimpleNamespace()], ()),
        ({'metrics': [{'type': 'IoUMetric', 'ignore_index': 7}]}, (7,)),
        (SimpleNamespace(metrics=[SimpleNamespace(ignore_index=8)]), (8,)),
        (None, (255,)),
    ],
)
def test_an_evaluation_leaves_out_what_its_metrics_ignore(evaluator, ignored):
    model = model_of(head(ignore_index=-100))
    assert measured_labels(model, evaluator) == LabelRange(19, ignored)
    assert measured_labels(nn.Linear(1, 1), evaluator) is None


def loader(root, part, batch=1):
    return {
        'batch_size': batch,
        'num_workers': 0,
        'sampler': {'type': 'DefaultSampler', 'shuffle': False},
        'dataset': folder(root, part),
    }


def runner_of(root, model, kind=Runner, loop='mmengine.IterBasedTrainLoop', **more):
    return kind(
        model=model,
        work_dir=str(root / 'work'),
        experiment_name=f'{root.name}-{more.pop("name", "labels")}',
        train_dataloader=loader(root, 'train', batch=2),
        train_cfg={'type': loop, 'max_iters': 1},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1}},
        val_dataloader=loader(root, 'val'),
        val_evaluator={'type': 'IoUMetric'},
        val_cfg={},
        test_dataloader=loader(root, 'val'),
        test_evaluator={'type': 'IoUMetric'},
        test_cfg={},
        default_scope='mmseg',
        **more,
    )


@pytest.fixture
def small(tiny_model, monkeypatch):
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    model = tiny_model(num_classes=3, auxiliary=False)
    model.data_preprocessor = MODELS.build({'type': 'SegDataPreProcessor'})
    return model


def test_validation_and_test_end_with_the_file_in_the_place_of_a_wrong_mean(
    root, small
):
    path = put_label(root, 3, 'val', number=0)
    runner = runner_of(root, small)
    for run in (runner.val, runner.test):
        with pytest.raises(DataError, match=rf"^'{path}' has labels \[3\] outside"):
            run()
    averaged = runner_of(root, SegTTAModel(module=small), name='tta')
    with pytest.raises(DataError, match=r'has labels \[3\] outside'):
        averaged.test()


@pytest.mark.parametrize(
    ('kind', 'loop'),
    [(Runner, 'mmengine.IterBasedTrainLoop'), (PlainRunner, 'ResumableTrainLoop')],
)
def test_training_ends_with_the_file_by_any_runner_or_loop_of_ours(
    root, small, monkeypatch, kind, loop
):
    path = put_label(root, 3)
    # A GPU, where nobody could look.
    monkeypatch.setattr('sctnet.models.segmentor.check_samples', lambda *_: None)
    runner = runner_of(root, small, kind, loop)
    with pytest.raises(DataError, match=rf"^'{path}' has labels \[3\] outside"):
        runner.train()


def test_without_a_loader_of_ours_the_loss_looks_on_a_cpu(small):
    sample = SegDataSample(metainfo={'img_path': 'a.png'})
    sample.gt_sem_seg = PixelData(data=torch.full((1, 64, 64), 3))
    with pytest.raises(DataError, match=r"^'a.png' has labels \[3\] outside"):
        small.loss(torch.zeros(2, 3, 64, 64), [sample] * 2)
