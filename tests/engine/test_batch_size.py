"""A batch of one image is refused where a batch norm sees one value a channel."""

import pytest
import torch
from mmengine.dataset import InfiniteSampler
from mmseg.registry import MODELS
from torch.utils.data import DataLoader, SequentialSampler

from sctnet.catalog import load_config
from sctnet.engine.batch_size import check_batch_size, single_value_norm
from sctnet.errors import ConfigError

GROUPS = {'type': 'GN', 'num_groups': 4}


def built(backbone=None, heads=None, config='sctnet-t-streets'):
    model = load_config(config).model
    model.pop('siam', None)
    model.data_preprocessor.size = (64, 64)
    if backbone:
        model.backbone.norm_cfg = backbone
    elif 'norm_cfg' in model.backbone:
        del model.backbone['norm_cfg']
    for head in ('decode_head', 'auxiliary_head'):
        if heads and head in model:
            model[head].norm_cfg = heads
    return MODELS.build(model)


def loader(images, batch, endless=True, **options):
    data = list(range(images))
    sampler = InfiniteSampler(data) if endless else SequentialSampler(data)
    return DataLoader(data, batch, sampler=sampler, **options)


@pytest.fixture(scope='module')
def default():
    return built()


def test_the_default_norm_is_found_and_nothing_is_changed(default):
    before = {name: value.clone() for name, value in default.state_dict().items()}
    default.train()
    with pytest.raises(ConfigError, match=r'^train_dataloader\.batch_size=1 leaves .*'):
        check_batch_size(default, loader(4, 1))
    check_batch_size(default, loader(5, 2))
    assert default.training
    assert not any(m._forward_pre_hooks for m in default.modules())
    for name, value in default.state_dict().items():
        assert torch.equal(value, before[name]), name
    # It is what torch refuses.
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        default.extract_feat(torch.zeros(1, 3, 64, 64))


def test_only_a_norm_behind_global_pooling_counts():
    mixed = built(GROUPS, heads={'type': 'BN'})  # the heads' norms have every pixel
    check_batch_size(mixed, loader(4, 1))
    mixed.train()
    mixed._forward(torch.zeros(1, 3, 64, 64))
    check_batch_size(built(config='segformer-t-streets'), loader(4, 1))


def test_a_frozen_norm_does_not_mind(default):
    model = built()
    name = single_value_norm(model)
    model.get_submodule(name).train = lambda mode=True: None
    model.get_submodule(name).training = False
    assert single_value_norm(model) != name


def test_a_last_batch_of_one_is_found_where_epochs_end(default):
    with pytest.raises(ConfigError, match=r'one image of 5.*drop_last=True$'):
        check_batch_size(default, loader(5, 2, endless=False))
    check_batch_size(default, loader(5, 2, endless=False, drop_last=True))
    check_batch_size(default, loader(6, 2, endless=False))


def test_joint_norms_take_one_image_a_process(default, monkeypatch):
    model = built({'type': 'SyncBN'})
    assert single_value_norm(model)
    monkeypatch.setattr('sctnet.engine.batch_size.get_world_size', lambda: 2)
    assert single_value_norm(model) is None
    assert single_value_norm(default)  # each process on its own
