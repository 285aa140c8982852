"""``faster_loader`` in a config, and what it makes of the pipelines."""

import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS
from own_folder import image_path, truncate, write_config, write_own_data
from small_training import LEAF

from sctnet.catalog import load_config, merge_options
from sctnet.compat.config_types import kind_of
from sctnet.datasets.check import quick_check
from sctnet.datasets.faster_loader import apply_faster_loader
from sctnet.engine.check_names import check_names
from sctnet.engine.launch import set_data_root
from sctnet.errors import ConfigError, DataError

PLAIN = ['LoadImageFromFile', 'LoadAnnotations', 'RandomResize', 'RandomCrop']
STORED = ['LoadImageFromStore', 'LoadAnnotationsFromStore']
BOTH = {'faster_loader.store': 'kept', 'faster_loader.crop_first': True}


def kinds(cfg, part='train'):
    return [kind_of(step) for step in cfg[f'{part}_dataloader'].dataset.pipeline]


def steps(cfg):
    return [dict(step) for step in cfg.train_dataloader.dataset.pipeline]


def test_options_change_the_training_alone():
    plain = kinds(load_config(LEAF))
    validation = kinds(load_config(LEAF), 'val')
    assert plain[:4] == PLAIN
    rest = plain[4:]
    for options, expected in (
        ({'faster_loader.store': 'kept'}, [*STORED, *PLAIN[2:], *rest]),
        ({'faster_loader.crop_first': True}, [*PLAIN[:2], 'RandomResizeCrop', *rest]),
        (BOTH, [*STORED, 'RandomResizeCrop', *rest]),
        ({'faster_loader.store': None}, plain),
    ):
        cfg = load_config(LEAF)
        merge_options(cfg, options)
        assert kinds(cfg) == expected
        assert kinds(cfg, 'val') == validation
        check_names(cfg)


def test_parts_read_the_store():
    cfg = load_config(LEAF)
    merge_options(cfg, {**BOTH, 'faster_loader.parts': 'val'})
    assert kinds(cfg)[:3] == [*PLAIN[:2], 'RandomResizeCrop']
    assert {*STORED} <= {*kinds(cfg, 'val')}
    assert not {*STORED} & {*kinds(cfg, 'test')}
    check_names(cfg)


def test_arguments_arrive():
    cfg = load_config(LEAF)
    steps_before = steps(cfg)
    merge_options(cfg, BOTH)
    image, labels, crop, *_ = steps(cfg)
    assert (image['folder'], image['root']) == ('kept', cfg.data_root)
    assert labels['reads_as']['type'] == 'LoadAnnotations'
    both = {**steps_before[2], **steps_before[3]}
    both.pop('type')
    assert {k: v for k, v in crop.items() if k != 'type'} == both
    set_data_root(cfg, 'elsewhere')
    assert [step['root'] for step in steps(cfg)[:2]] == ['elsewhere', 'elsewhere']


def test_dumped_and_read_again_and_switched_off(tmp_path):
    plain = load_config(LEAF)
    cfg = load_config(LEAF)
    merge_options(cfg, BOTH)
    cfg.dump(tmp_path / 'dumped.py')
    again = load_config(tmp_path / 'dumped.py')
    assert kinds(again) == kinds(cfg)
    check_names(again)
    # Dotted keys are those of the recipe.
    merge_options(again, {'train_dataloader.dataset.pipeline.3.crop_size': (64, 64)})
    assert steps(again)[2]['crop_size'] == (64, 64)
    off = {'faster_loader.store': None, 'faster_loader.crop_first': False}
    merge_options(again, off)
    assert kinds(again) == kinds(plain)
    assert steps(again)[3]['cat_max_ratio'] == 0.75


def test_in_a_config_of_ones_own(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    path = write_config(tmp_path / 'mine.py', root)
    path.write_text(path.read_text() + '\nfaster_loader = dict(crop_first=True)\n')
    cfg = load_config(path)
    crop = steps(cfg)[2]
    assert (crop['crop_size'], crop['scale']) == ((64, 64), (256, 64))
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert dataset[0]['inputs'].shape[0] == 3
    crop_class = dataset.pipeline.transforms[2]
    assert f'{type(crop_class).__name__}(scale=(256, 64)' in repr(crop_class)


def test_classes_named_in_a_config_without_the_key(tmp_path):
    path = write_config(tmp_path / 'mine.py', tmp_path)
    text = path.read_text().replace(
        '\n\nwith',
        '\nfrom sctnet.datasets.transforms import RandomResizeCrop\n\nwith',
        1,
    )
    step = 'dict(type=RandomResizeCrop, scale=(9, 9), crop_size=9, keep_ratio=True)'
    text += f'train_pipeline[2:4] = [{step}]\n'
    text += 'train_dataloader.update(dataset=dict(pipeline=train_pipeline))\n'
    path.write_text(text)
    cfg = load_config(path)
    assert kinds(cfg)[2] == 'RandomResizeCrop'
    check_names(cfg)
    merge_options(cfg, {'train_dataloader.dataset.pipeline.2.crop': 5})
    with pytest.raises(
        ConfigError, match="no argument 'crop'; did you mean 'crop_size'"
    ):
        check_names(cfg)


@pytest.mark.parametrize(('value', 'said'), [
    (True, 'faster_loader is True: set it to a dict'),
    ({'stor': 'x'}, "no key 'stor': did you mean 'store'"),
    ({'store': 3}, r'store is 3: set it to the folder'),
    ({'store': ''}, r"store is '': set it to the folder"),
    ({'crop_first': 'yes'}, "crop_first is 'yes': set it to True or False"),
    ({'parts': ['all'], 'store': 'x'}, r"parts is \['all'\]: .* train, val, test"),
    ({'parts': 5}, 'parts is 5'),
])  # fmt: skip
def test_wrong_values_are_refused(value, said):
    cfg = load_config(LEAF)
    cfg.faster_loader = value
    with pytest.raises(ConfigError, match=said):
        apply_faster_loader(cfg)


def test_pipelines_to_which_it_does_not_apply_are_refused():
    pipeline = [{'type': 'LoadImageFromNDArray'}, {'type': 'RandomCrop'}]
    loader = {'dataset': {'type': 'FolderDataset', 'pipeline': pipeline}}
    for key, value in (('store', 'x'), ('crop_first', True)):
        cfg = Config({'train_dataloader': loader, 'faster_loader': {key: value}})
        with pytest.raises(ConfigError, match=rf'faster_loader\.{key}: .* take'):
            apply_faster_loader(cfg)


def test_a_broken_validation_image_ends_it_before_the_first_iteration(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    truncate(image_path(root, 'val', 1))
    cfg = load_config(write_config(tmp_path / 'mine.py', root))
    merge_options(cfg, {'faster_loader.store': 'x', 'faster_loader.parts': 'val'})
    with pytest.raises(DataError, match=r'broken image: .*val1\.png'):
        quick_check(cfg)
