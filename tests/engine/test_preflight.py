import pytest

from sctnet.catalog import load_config
from sctnet.datasets.check import quick_check
from sctnet.datasets.from_config import LOADERS, datasets_of
from sctnet.engine.launch import set_data_root
from sctnet.engine.preflight import check_data
from sctnet.errors import ConfigError, DataError


def test_missing_data_names_what_was_looked_for(streets, tmp_path):
    cfg = load_config('sctnet-s-seg50')
    with pytest.raises(DataError, match=r'data/cityscapes/leftImg8bit/val') as caught:
        check_data(cfg, ('test_dataloader',))
    assert '--data-root' in str(caught.value)
    assert '\n' not in str(caught.value)
    set_data_root(cfg, str(tmp_path))
    (tmp_path / 'leftImg8bit' / 'val').mkdir(parents=True)
    with pytest.raises(
        DataError, match=r"no file named \*_left.* '\*_leftImg8bit\.png' b"
    ):
        check_data(cfg, ('test_dataloader',))
    set_data_root(cfg, str(streets))
    check_data(cfg, LOADERS.values())


def test_cityscapes_without_train_ids_says_so(streets, tmp_path):
    root = tmp_path / 'cityscapes'
    (root / 'gtFine' / 'val').mkdir(parents=True)
    (root / 'leftImg8bit').symlink_to(streets / 'leftImg8bit')
    cfg = load_config('sctnet-s-seg50')
    set_data_root(cfg, str(root))
    with pytest.raises(DataError, match=r'labelTrainIds.*sctnet prepare'):
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


def test_data_elsewhere_is_not_looked_for_on_this_disk():
    cfg = load_config('sctnet-s-seg50')
    for loader in LOADERS.values():
        cfg[loader].dataset.data_root = 's3://bucket/cityscapes'
    check_data(cfg, LOADERS.values())
    set_data_root(cfg, 'cityscapes')
    for loader in LOADERS.values():
        cfg[loader].dataset.backend_args = {'backend': 'petrel'}
    check_data(cfg, LOADERS.values())
    quick_check(cfg)  # a warning, no error
    for loader in LOADERS.values():
        cfg[loader].dataset.backend_args = {'backend': 'local'}
    with pytest.raises(DataError, match='cityscapes/leftImg8bit'):
        check_data(cfg, LOADERS.values())


def test_a_folder_without_images_names_every_suffix(tmp_path):
    cfg = load_config('sctnet-s-ade')
    (tmp_path / 'images' / 'training').mkdir(parents=True)
    cfg.train_dataloader.dataset.img_suffix = ('.jpg', '.webp')
    set_data_root(cfg, str(tmp_path))
    with pytest.raises(DataError, match=r"looked for '\*\.jpg', '\*\.webp' below"):
        check_data(cfg, ('train_dataloader',))


@pytest.mark.parametrize('odd', [3, 'x', [1]])
@pytest.mark.parametrize('wrapped', [False, True])
def test_what_is_no_data_set_is_named(odd, wrapped):
    cfg = load_config('sctnet-s-seg50')
    cfg.val_dataloader.dataset = {'type': 'X', 'dataset': [odd]} if wrapped else odd
    with pytest.raises(ConfigError, match=r'^val_dataloader\.dataset.* is '):
        list(datasets_of(cfg))
