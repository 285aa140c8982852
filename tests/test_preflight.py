import pytest

from sctnet.catalog import load_config
from sctnet.engine.launch import set_data_root
from sctnet.engine.preflight import (
    LOADERS,
    check_batch_size,
    check_broken_share,
    check_data,
)
from sctnet.errors import ConfigError, DataError


def test_missing_data_names_what_was_looked_for(streets, tmp_path):
    cfg = load_config('sctnet-s-seg50')
    with pytest.raises(DataError, match=r'data/cityscapes/leftImg8bit/val') as caught:
        check_data(cfg, ('test_dataloader',))
    assert '--data-root' in str(caught.value)
    assert '\n' not in str(caught.value)
    set_data_root(cfg, str(tmp_path))
    (tmp_path / 'leftImg8bit' / 'val').mkdir(parents=True)
    with pytest.raises(DataError, match=r'no file named \*_leftImg8bit\.png'):
        check_data(cfg, ('test_dataloader',))
    set_data_root(cfg, str(streets))
    check_data(cfg, LOADERS)


def test_cityscapes_without_train_ids_says_so(streets, tmp_path):
    root = tmp_path / 'cityscapes'
    (root / 'gtFine' / 'val').mkdir(parents=True)
    (root / 'leftImg8bit').symlink_to(streets / 'leftImg8bit')
    cfg = load_config('sctnet-s-seg50')
    set_data_root(cfg, str(root))
    with pytest.raises(DataError, match=r'labelTrainIds.*prepare_dataset'):
        check_data(cfg, ('test_dataloader',))


def test_wrapped_data_sets_are_checked_and_pointed_too():
    cfg = load_config('sctnet-s-ade')
    cfg.train_dataloader.dataset = {
        'type': 'RepeatDataset',
        'times': 2,
        'dataset': cfg.train_dataloader.dataset,
    }
    set_data_root(cfg, 'elsewhere')
    assert cfg.train_dataloader.dataset.dataset.data_root == 'elsewhere'
    with pytest.raises(DataError, match='elsewhere/images/training'):
        check_data(cfg, ('train_dataloader',))


def test_batch_of_one_is_refused_where_batch_norm_would_fail(monkeypatch):
    cfg = load_config('sctnet-s-seg50')
    check_batch_size(cfg)
    cfg.train_dataloader.batch_size = 1
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    with pytest.raises(ConfigError, match='set it to 2 or more'):
        check_batch_size(cfg)
    monkeypatch.setenv('WORLD_SIZE', '2')  # SyncBN joins the processes' images
    check_batch_size(cfg)
    monkeypatch.delenv('WORLD_SIZE')
    group_norm = {'type': 'GN', 'num_groups': 4}
    for part in ('backbone', 'decode_head', 'auxiliary_head'):
        cfg.model[part].norm_cfg = group_norm
    check_batch_size(cfg)


@pytest.mark.parametrize('share', [-0.1, 1.1, '5 %', None, True])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ConfigError, match='max_broken_share'):
        check_broken_share(share)
