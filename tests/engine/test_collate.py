"""Batches are stacked where the model's preprocessor takes them so, and only there."""

import pytest
import torch
from mmengine.hooks import Hook
from mmseg.models import SegDataPreProcessor
from mmseg.structures import SegDataSample
from small_training import small_config, train
from torch import nn

from sctnet.datasets.collate import stack_samples
from sctnet.engine.stacking import stacking
from sctnet.models import BatchDataPreProcessor

WITHOUT_TEACHER = {'model.siam': None, 'custom_hooks': []}


class Batches(Hook):
    """Keeps the batches of a training and of its validation."""

    def __init__(self):
        self.trained, self.validated = [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.trained.append(data_batch)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        self.validated.append(data_batch)


@pytest.fixture(scope='module')
def trainings(streets, tmp_path_factory):
    """Batches and records of two equal trainings but for the preprocessor."""
    found = {}
    for kind in ('BatchDataPreProcessor', 'SegDataPreProcessor'):
        options = {**WITHOUT_TEACHER, 'model.data_preprocessor.type': kind}
        work_dir = tmp_path_factory.mktemp(kind)
        cfg = small_config(streets, work_dir, options=options)
        batches = Batches()
        record = train(cfg, lambda runner, hook=batches: runner.register_hook(hook))
        found[kind] = batches, record
    return found


def test_a_training_is_the_same_with_mmsegs_preprocessor(trainings):
    (_, ours), (_, theirs) = trainings.values()
    assert ours.losses == theirs.losses
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_hooks_see_stacked_images_and_a_list_of_samples(trainings):
    batches, _ = trainings['BatchDataPreProcessor']
    for batch in [*batches.trained, *batches.validated]:
        assert isinstance(batch['inputs'], torch.Tensor)
        assert batch['maps']['gt_sem_seg'].dtype == torch.uint8
        assert isinstance(batch['data_samples'], list)
        for sample in batch['data_samples']:
            assert isinstance(sample, SegDataSample)
            assert sample.img_path.endswith('.png')
            assert sample.gt_sem_seg.data.ndim == 3


def test_a_config_of_before_keeps_its_lists(trainings):
    batches, _ = trainings['SegDataPreProcessor']
    for batch in [*batches.trained, *batches.validated]:
        assert set(batch) == {'inputs', 'data_samples'}
        assert isinstance(batch['inputs'], list)


def model_of(preprocessor):
    model = nn.Module()
    model.data_preprocessor = preprocessor
    return model


def test_only_a_config_is_changed_and_what_it_says_itself_stays():
    ours, theirs = (
        model_of(kind(size=(8, 8)))
        for kind in (BatchDataPreProcessor, SegDataPreProcessor)
    )
    config = {'batch_size': 2}
    pinned = torch.cuda.is_available()
    assert stacking(config, theirs) == {'batch_size': 2, 'pin_memory': pinned}
    assert stacking(config, ours)['collate_fn'] is stack_samples
    assert config == {'batch_size': 2}
    own = {'collate_fn': {'type': 'pseudo_collate'}, 'pin_memory': not pinned}
    assert stacking(own, ours) == own
    built = object()
    assert stacking(built, ours) is built
    assert stacking(None, ours) is None
