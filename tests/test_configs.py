import json
import re

import pytest
import torch
import yaml
from mmseg.registry import MODELS, TRANSFORMS
from support import GOLDEN, REPOSITORY, SHORT_NAMES

from sctnet.catalog import leaf_names, load_config, short_names
from sctnet.engine import MergedOptimWrapperConstructor
from sctnet.weights.key_map import port_name

LEAVES = sorted(
    path
    for path in (REPOSITORY / 'configs').glob('*/*.py')
    if path.parent.name != '_base_'
)
# batch, lr, weight decay, min lr, crop (h, w), ratio, train scale, test scale
RECIPES = {
    'ade_s': (8, 5e-4, 0.01, 0, (512, 512), (0.5, 2.0), (2048, 512), (2048, 512)),
    'ade_b': (8, 5e-4, 0.01, 0, (512, 512), (0.5, 2.0), (2048, 512), (2048, 512)),
    'coco_b': (4, 6e-5, 0.01, 0, (640, 640), (0.5, 2.0), (2560, 640), (2560, 640)),
    **{
        f'city_{size}_seg{part}': (
            *(8, 4e-4, 0.0125, 1e-6, (512, 1024), (0.25, 1.5), (2048, 1024)),
            scale,
        )
        for size in 'sb'
        for part, scale in ((50, (1024, 512)), (75, (1536, 768)))
    },
    'city_b_seg100': (
        *(8, 4e-4, 0.0125, 1e-6, (1024, 1024), (0.5, 2.0)),
        *((2048, 1024), (2048, 1024)),
    ),
}


def steps(pipeline):
    """Pipeline steps by the name of their type."""
    named = {}
    for step in pipeline:
        kind = step['type']
        named[kind if isinstance(kind, str) else kind.__name__] = step
    return named


@pytest.mark.parametrize('leaf', LEAVES, ids=lambda path: path.stem)
def test_leaf_is_short_importable_and_builds(leaf):
    assert len(leaf.read_text().splitlines()) <= 25
    assert leaf.stem.isidentifier()
    cfg = load_config(leaf)
    MODELS.build(cfg.model)
    for pipeline in (cfg.train_pipeline, cfg.test_pipeline, cfg.tta_pipeline):
        for step in pipeline:
            TRANSFORMS.build(step)


@pytest.mark.parametrize('leaf', LEAVES, ids=lambda path: path.stem)
def test_a_leafs_name_tells_its_batch_length_and_crop(leaf):
    name = re.search(r'_\dxb(\d+)_(\d+k?)_.*_(\d+)x(\d+)$', leaf.stem)
    cfg = load_config(leaf)
    assert cfg.train_dataloader.batch_size == int(name[1])
    assert cfg.train_cfg.max_iters == int(name[2].replace('k', '000'))
    crop = (int(name[3]), int(name[4]))
    (step,) = (s for s in cfg.train_pipeline if s.get('crop_size'))
    assert step['crop_size'] == crop == cfg.model.data_preprocessor.size
    assert cfg.train_cfg.val_interval == cfg.default_hooks.checkpoint.interval


def test_leaf_names_are_unique_in_the_whole_tree():
    names = [path.name for path in LEAVES]
    names += [path.name for path in (REPOSITORY / 'configs' / '_base_').rglob('*.py')]
    names.remove('common.py')  # of data sets and of models; no leaf
    assert len(names) == len(set(names))


def test_model_index_names_every_leaf_and_its_file():
    index = yaml.safe_load((REPOSITORY / 'model-index.yml').read_text())['Import']
    models = [
        model
        for metafile in index
        for model in yaml.safe_load((REPOSITORY / metafile).read_text())['Models']
    ]
    assert sorted(model['Name'] for model in models) == leaf_names()
    assert all((REPOSITORY / model['Config']).is_file() for model in models)
    assert set(short_names()) >= set(SHORT_NAMES.values())
    assert len(short_names()) == len(models)


@pytest.mark.parametrize('config', RECIPES)
def test_recipe(config):
    batch, lr, decay, min_lr, crop, ratio, train_scale, test_scale = RECIPES[config]
    cfg = load_config(SHORT_NAMES[config])
    loader, optimizer = cfg.train_dataloader, cfg.optim_wrapper.optimizer
    assert loader.batch_size == batch
    assert (optimizer.type, optimizer.lr) == (torch.optim.AdamW, lr)
    assert (optimizer.weight_decay, optimizer.betas) == (decay, (0.9, 0.999))
    assert cfg.param_scheduler[0].get('eta_min', 0) == min_lr
    assert cfg.train_cfg.max_iters == 160000
    train = steps(loader.dataset.pipeline)
    assert list(train) == [
        *('LoadImageFromFile', 'LoadAnnotations', 'RandomResize', 'RandomCrop'),
        *('RandomFlip', 'PhotometricDistortion', 'PackSegInputs'),
    ]
    assert train['RandomResize']['scale'] == train_scale
    assert train['RandomResize']['ratio_range'] == ratio
    assert train['RandomResize']['keep_ratio'] is True
    assert train['RandomCrop']['crop_size'] == crop
    assert train['RandomCrop']['cat_max_ratio'] == 0.75
    assert train['RandomFlip']['prob'] == 0.5
    folders = {
        'ade': ('images/training', 'images/validation'),
        'coco': ('images/train2014', 'images/test2014'),
        'city': ('leftImg8bit/train', 'leftImg8bit/val'),
    }[config.partition('_')[0]]
    for name, folder in zip(
        ('train', 'val', 'test'), (*folders, folders[1]), strict=True
    ):
        prefix = cfg[f'{name}_dataloader'].dataset.data_prefix
        assert prefix.img_path == folder
        labels = {'images': 'annotations', 'leftImg8bit': 'gtFine'}
        top, _, split = folder.partition('/')
        assert prefix.seg_map_path == f'{labels[top]}/{split}'
    resizes, flips = cfg.tta_pipeline[1]['transforms'][:2]
    assert [step['scale'] for step in resizes] == [
        (int(test_scale[0] * r), int(test_scale[1] * r))
        for r in (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
    ]
    assert [step['prob'] for step in flips] == [0.0, 1.0]
    assert cfg.val_evaluator.iou_metrics == cfg.test_evaluator.iou_metrics == ['mIoU']
    for part in ('backbone', 'decode_head', 'auxiliary_head'):
        assert cfg.model[part].norm_cfg.type == 'SyncBN'
    preprocessor = cfg.model.data_preprocessor
    assert preprocessor.size == crop
    assert (preprocessor.pad_val, preprocessor.seg_pad_val) == (0, 255)
    assert preprocessor.mean == [123.675, 116.28, 103.53]
    assert preprocessor.std == [58.395, 57.12, 57.375]
    for name in ('val_dataloader', 'test_dataloader'):
        resize = steps(cfg[name].dataset.pipeline)['Resize']
        assert (resize['scale'], resize['keep_ratio']) == (test_scale, True)


@pytest.mark.parametrize('config', RECIPES)
def test_labels_and_losses(config):
    cfg = load_config(SHORT_NAMES[config])
    dataset = cfg.train_dataloader.dataset
    reduces = {'ADE20KDataset': True, 'COCOStuffDataset': True}
    built = dataset.type(
        **{k: v for k, v in dataset.items() if k != 'type'} | {'lazy_init': True}
    )
    assert built.reduce_zero_label is reduces.get(dataset.type.__name__, False)
    assert len(built.metainfo['classes']) == cfg.num_classes
    model = MODELS.build(cfg.model)
    assert model.decode_head.num_classes == cfg.num_classes
    assert model.auxiliary_head.num_classes == cfg.num_classes
    assert model.decode_head.loss_decode.loss_weight == 1.0
    assert model.auxiliary_head.loss_decode.loss_weight == 0.4
    for head in (model.decode_head, model.auxiliary_head):
        assert head.ignore_index == 255
        assert head.loss_decode.avg_non_ignore is False
        assert head.dropout is None


@pytest.mark.parametrize('config', RECIPES)
def test_every_parameter_has_the_originals_rate_and_decay(config):
    expected = {}
    for rates, names in json.loads((GOLDEN / 'optim_groups.json').read_text())[
        config
    ].items():
        lr, decay = (float(part.partition('=')[2]) for part in rates.split(','))
        for name in names:
            if port_name(name):
                expected[port_name(name)] = pytest.approx((lr, decay), rel=1e-12)
    cfg = load_config(SHORT_NAMES[config])
    model = MODELS.build(cfg.model)
    wrapper_cfg = cfg.optim_wrapper.to_dict()
    constructor = MergedOptimWrapperConstructor(
        {
            k: v
            for k, v in wrapper_cfg.items()
            if k not in ('constructor', 'paramwise_cfg')
        },
        wrapper_cfg['paramwise_cfg'],
    )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    actual = {
        names[id(parameter)]: (group['lr'], group['weight_decay'])
        for group in constructor(model).optimizer.param_groups
        for parameter in group['params']
    }
    assert actual == expected


@pytest.mark.parametrize('config', ['ade_s', 'coco_b', 'city_s_seg75'])
def test_learning_rate_follows_the_original(config):
    from mmengine.registry import PARAM_SCHEDULERS

    golden = json.loads((GOLDEN / 'schedule.json').read_text())
    expected = dict(
        zip(
            golden['iters'],
            golden['configs'][config]['groups']['backbone.w']['lr'],
            strict=True,
        )
    )
    cfg = load_config(SHORT_NAMES[config])
    optimizer = torch.optim.SGD(
        [torch.zeros(1, requires_grad=True)], lr=cfg.optim_wrapper.optimizer.lr
    )
    length = cfg.train_cfg.max_iters
    schedulers = [
        # Without a length of its own, the Runner gives it that of the training.
        PARAM_SCHEDULERS.build({**dict(s), 'optimizer': optimizer, 'end': length})
        for s in cfg.param_scheduler
    ]
    compared = 0
    optimizer.step()
    for iteration in range(160000):
        if iteration in expected:
            lr = optimizer.param_groups[0]['lr']
            assert lr == pytest.approx(expected[iteration], rel=1e-9, abs=0)
            compared += 1
        for scheduler in schedulers:
            scheduler.step()
    assert compared == len(expected)
