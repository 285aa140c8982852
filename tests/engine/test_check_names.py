"""A misspelt class or argument is told with its place; sound configs pass."""

import copy

import numpy as np
import pytest
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from small_training import LEAF

from sctnet.apis import init_model
from sctnet.catalog import leaf_names, load_config, merge_options
from sctnet.engine import check_sliding_window
from sctnet.engine.check_names import check_names
from sctnet.engine.launch import enable_tta
from sctnet.errors import ConfigError


@pytest.fixture(scope='module')
def leaf():
    return load_config(LEAF)


@pytest.mark.parametrize('name', leaf_names())
def test_published_configs_pass(name):
    check_names(load_config(name))


def check(leaf, **options):
    cfg = copy.deepcopy(leaf)
    merge_options(cfg, options)
    check_names(cfg)


STEP = 'train_dataloader.dataset.pipeline.0'
MISSPELT = {
    'train_cfg.max_iter': "ResumableTrainLoop has no argument 'max_iter'.*max_iters",
    'model.backbone.base_channel': 'SCTNet has no .*base_channels',
    'model.siam.sdah': 'SIAM has no .*sdha',
    'model.decode_head.num_clases': 'SCTHead has no .*num_classes',
    'model.decode_head.loss_decode.loss_wieght': 'has no .*loss_weight',
    'model.data_preprocessor.stdd': 'BatchDataPreProcessor has no .*std',
    'train_dataloader.batchsize': 'a data loader has no .*batch_size',
    'train_dataloader.dataset.data_rot': 'has no .*data_root',
    'train_dataloader.sampler.shufle': 'InfiniteSampler has no .*shuffle',
    f'{STEP}.to_float': 'LoadImageFromFile has no .*to_float32',
    'optim_wrapper.clip_gard': 'OptimWrapper has no .*clip_grad',
    'optim_wrapper.optimizer.weight_decy': 'AdamW has no .*weight_decay',
    'param_scheduler.0.warm_up': 'WarmupPolyLR has no .*warmup',
    'custom_hooks.0.techer': 'DistillationHook has no .*teacher',
    'default_hooks.logger.intervall': 'LoggerHook has no .*interval',
    'visualizer.nam': 'SegLocalVisualizer has no .*name',
    'log_processor.windowsize': 'LogProcessor has no .*window_size',
}


@pytest.mark.parametrize('place', MISSPELT)
def test_an_argument_that_is_not_there_is_named_with_a_near_one(leaf, place):
    with pytest.raises(ConfigError, match=f'^{place}: .*{MISSPELT[place]}') as raised:
        check(leaf, **{place: 1})
    assert '\n' not in str(raised.value)


TYPES = {
    'model': ('SCTSegmentr', 'SCTSegmentor'),
    'model.backbone': ('SCTNett', 'SCTNet'),
    'model.backbone.norm_cfg': ('SyncBM', 'SyncBN'),
    'train_dataloader.dataset': ('CityscapesDatset', 'CityscapesDataset'),
    'train_dataloader.sampler': ('InfinitSampler', 'InfiniteSampler'),
    STEP: ('LoadImageFromFiles', 'LoadImageFromFile'),
    'train_cfg': ('ResumableTrainLop', 'ResumableTrainLoop'),
    'optim_wrapper': ('OptimWraper', 'OptimWrapper'),
    'optim_wrapper.optimizer': ('SGDD', 'SGD'),
    'param_scheduler.0': ('WarmupPolyLr', 'WarmupPolyLR'),
    'custom_hooks.0': ('DistilationHook', 'DistillationHook'),
    'default_hooks.checkpoint': ('CheckpointHok', 'CheckpointHook'),
    'val_evaluator': ('IoUMetrc', 'IoUMetric'),
    'visualizer': ('SegLocalVisualiser', 'SegLocalVisualizer'),
    'visualizer.vis_backends.0': ('LocalVisBackends', 'LocalVisBackend'),
}


@pytest.mark.parametrize('place', TYPES)
def test_a_class_that_is_not_there_is_named_with_a_near_one(leaf, place):
    wrong, right = TYPES[place]
    said = rf"^{place}\.type is '{wrong}'.*did you mean '{right}'\?$"
    with pytest.raises(ConfigError, match=said):
        check(leaf, **{f'{place}.type': wrong})


@pytest.mark.parametrize(
    ('place', 'value', 'said'),
    [
        ('train_dataloader.batch_size', 'x', 'whole number from 1 up'),
        ('train_dataloader.batch_size', 0, 'whole number from 1 up'),
        ('val_dataloader.num_workers', -1, 'whole number from 0 up'),
        ('val_dataloader.num_workers', True, 'whole number from 0 up'),
        ('train_cfg.max_iters', 'many', 'whole number from 1 up'),
        ('train_cfg.val_interval', 1.5, 'whole number from 1 up'),
        ('optim_wrapper.optimizer.lr', '1e-3', 'number from 0 up'),
        ('optim_wrapper.optimizer.lr', float('nan'), 'number from 0 up'),
        ('param_scheduler.0.type', 3, 'the name of a class'),
        ('model.backbone', 'SCTNet', 'to a dict'),
        ('val_dataloader', [], 'to a dict'),
        ('custom_hooks', 'none', 'expected a list'),
        ('load_from', (1,), 'to a path, or None'),
        ('model', None, 'to a dict'),
    ],
)
def test_a_value_that_cannot_be_is_named(leaf, place, value, said):
    with pytest.raises(ConfigError, match=f'^{place} is .*{said}'):
        check(leaf, **{place: value})


@pytest.mark.parametrize(
    ('test_cfg', 'said'),
    [
        ({'mode': 'slide'}, r'mode=slide needs .* and crop_size is missing: set .*512'),
        (
            {'mode': 'slide', 'crop_size': (64, 64), 'stride': 32},
            r'mode=slide .* stride is 32: set model\.test_cfg\.stride to .*\(341',
        ),
        (
            {'mode': 'slide', 'crop_size': (64, 64), 'stride': (32, 96)},
            r'stride is \(32, 96\) .* gaps between windows: set stride to at most',
        ),
        ({'mode': 'slides'}, "mode is 'slides': set it to whole or slide"),
    ],
)
def test_a_sliding_window_needs_its_size_and_step(leaf, test_cfg, said):
    with pytest.raises(ConfigError, match=rf'^model\.test_cfg\.{said}'):
        check(leaf, **{'model.test_cfg': test_cfg})
    with pytest.raises(ConfigError, match=r'^model\.test_cfg\.'):
        init_model(leaf, device='cpu', cfg_options={'model.test_cfg': test_cfg})
    averaged = copy.deepcopy(leaf)
    averaged.model.test_cfg = test_cfg
    averaged.model = {'type': 'SegTTAModel', 'module': averaged.model}
    with pytest.raises(ConfigError, match=r'^model\.module\.test_cfg\.'):
        check_names(averaged)


def test_a_sliding_window_that_covers_the_image_is_taken(leaf):
    fine = {'mode': 'slide', 'crop_size': (64, 64), 'stride': [64, 32]}
    check(leaf, **{'model.test_cfg': fine})
    check(leaf, **{'model.test_cfg': {**fine, 'stride': list(np.array([64, 32]))}})


@pytest.mark.parametrize(
    ('key', 'value', 'said'),
    [
        ('model.backbone.norm_eval', 'no', "is 'no': set it to True or False"),
        ('train_dataloader.drop_last', 'no', 'set it to True or False'),
        ('train_dataloader.dataset.reduce_zero_label', 'no', 'True or False'),
        ('optim_wrapper.accumulative_counts', 0, 'whole number from 1 up'),
        ('optim_wrapper.clip_grad', {'max_norm': 'abc'}, 'number from 0 up'),
        ('param_scheduler.0.warmup_iters', 'abc', 'whole number from 0 up'),
        ('custom_hooks.1.type', 'FreezeHook', r'custom_hooks\.1 lacks iterations'),
    ],
)
def test_values_of_another_kind_are_said(leaf, key, value, said):
    with pytest.raises(ConfigError, match=said):
        check(leaf, **{key: value})


def test_a_window_too_small_for_the_network_is_refused(leaf):
    small = {'mode': 'slide', 'crop_size': (32, 64), 'stride': (32, 32)}
    with pytest.raises(ConfigError, match='takes images from 64x64 pixels on'):
        check(leaf, **{'model.test_cfg': small})


def test_a_window_without_its_mode_is_told(leaf, monkeypatch):
    said = []
    monkeypatch.setattr(
        check_sliding_window, 'print_log', lambda text, *_: said.append(text)
    )
    check(leaf, **{'model.test_cfg.crop_size': (64, 64)})
    assert 'crop_size has no effect with mode=whole' in said[0]


def test_a_loss_without_class_weights_is_not_told_to_take_another_argument(leaf):
    loss = {'type': 'DiceLoss', 'class_weight': [1, 1]}
    with pytest.raises(ConfigError, match=r"'class_weight': it cannot weigh classes"):
        check(leaf, **{'model.decode_head.loss_decode': loss})


def test_arguments_of_a_test_time_augmentation_are_checked(leaf):
    cfg = copy.deepcopy(leaf)
    cfg.tta_model.test_cfg = {'mode': 'slide'}
    with pytest.raises(ConfigError, match="SegTTAModel has no argument 'test_cfg'"):
        enable_tta(cfg)


@pytest.mark.parametrize('key', ['dataset', 'sampler'])
def test_what_a_loader_lacks_is_named(leaf, key):
    cfg = copy.deepcopy(leaf)
    del cfg.train_dataloader[key]
    with pytest.raises(ConfigError, match=f'train_dataloader has no {key}'):
        check_names(cfg)
    cfg = copy.deepcopy(leaf)
    cfg.train_dataloader.dataset.pipeline[0] = {'tpye': 'LoadImageFromFile'}
    with pytest.raises(ConfigError, match=rf'^{STEP} names no class'):
        check_names(cfg)


@HOOKS.register_module()
class TakesWhatItLooksFor(Hook):
    def __init__(self, *args, **kwargs):
        self.own = kwargs.pop('own_option', None)
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize(
    'options',
    [
        {'train_cfg': {'by_epoch': True, 'max_epochs': 3}},
        {'default_hooks.mine': {'type': 'TakesWhatItLooksFor', 'own_option': 1}},
        {'default_hooks.mine': {'type': 'EMAHook', 'momentum': 0.1, 'priority': 49}},
        {'param_scheduler.0': {'type': 'LinearLR', 'convert_to_iter_based': True}},
        {'param_scheduler': {'generator': [{'type': 'LinearLR'}]}},
        {'val_evaluator': {'type': 'Evaluator', 'metrics': [{'type': 'IoUMetric'}]}},
        {'val_evaluator': [{'type': 'IoUMetric', 'keep_results': True}]},
        {'optim_wrapper.constructor': 'Mine', 'optim_wrapper.own': 3},
        {'model.decode_head.sampler': {'type': 'OHEMPixelSampler', 'thresh': 0.7}},
        {'model.decode_head.norm_cfg': {'type': 'BN', 'requires_grad': True}},
        {'model.auxiliary_head': [{'type': 'FCNHead', 'num_convs': 1}]},
        {'train_dataloader.dataset': {'type': 'RepeatDataset', 'times': 2}},
        {'train_dataloader.num_batch_per_epoch': 3},
        {'train_dataloader.collate_fn': {'type': 'pseudo_collate'}},
        {'custom_hooks.0.teacher': {'type': 'Unknown', 'any': 'thing'}},
        {'auto_scale_lr': {'base_batch_size': 16}, 'anything_else': {'type': 'x'}},
    ],
)
def test_what_mmengine_takes_passes(leaf, options):
    cfg = copy.deepcopy(leaf)
    for key, value in options.items():
        place, _, name = key.rpartition('.')
        node = cfg
        for part in place.split('.') if place else ():
            node = node[int(part)] if part.isdigit() else node[part]
        node[int(name) if name.isdigit() else name] = value
    check_names(cfg)
