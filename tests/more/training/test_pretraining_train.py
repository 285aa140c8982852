"""train.py and what becomes of its checkpoints, on three classes of tiny JPEGs."""

import shutil

import pytest
import torch
from pretraining_support import PROJECT, TINY, load_classifier

from sctnet.catalog import load_config
from sctnet.errors import CheckpointError, ConfigError
from sctnet.weights.convert import convert_checkpoint
from sctnet.weights.safe_files import read_checkpoint


def error_of(capsys):
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith('error: ')]
    assert len(lines) == 1
    return lines[0]


def weights_of(path):
    return read_checkpoint(path)['state_dict']


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, weight in first.items():
        assert torch.equal(weight, second[name]), name


def segmentor_from(file):
    """The backbone's weights of a segmentor whose init_cfg names ``file``."""
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    init_default_scope('mmseg')
    model = load_config('sctnet-t-streets').model
    init = {'type': 'Pretrained', 'checkpoint': str(file)}
    model = {**model, 'siam': None, 'backbone': {**model.backbone, 'init_cfg': init}}
    model['backbone']['norm_cfg'] = {'type': 'BN'}
    segmentor = MODELS.build(model)
    segmentor.init_weights()
    return segmentor.backbone.state_dict()


def test_training_resumes_exactly_and_its_backbone_starts_a_segmentor(
    train, tmp_path, capsys
):
    assert train('train_cfg.max_iters=4', work='whole') == 0
    assert 'accuracy/top1' in capsys.readouterr().out
    whole = weights_of(tmp_path / 'whole' / 'iter_4.pth')
    halfway = tmp_path / 'whole' / 'iter_2.pth'
    assert not torch.equal(
        whole['head.fc.weight'], weights_of(halfway)['head.fc.weight']
    )
    (tmp_path / 'killed').mkdir()
    shutil.copy(halfway, tmp_path / 'killed')
    assert train('train_cfg.max_iters=4', work='killed', more=['--resume']) == 0
    assert_same(whole, weights_of(tmp_path / 'killed' / 'iter_4.pth'))

    source, target = tmp_path / 'whole' / 'iter_4.pth', tmp_path / 'backbone.pth'
    backbone = {
        name.removeprefix('backbone.'): weight
        for name, weight in whole.items()
        if name.startswith('backbone.')
    }
    line = convert_checkpoint(source, target, backbone_only=True)
    assert line.startswith(f'wrote {len(backbone)} of {len(whole)} tensors')
    assert_same(backbone, segmentor_from(target))
    assert_same(backbone, segmentor_from(source))

    capsys.readouterr()
    other = ('train_cfg.max_iters=6', 'model.backbone.dappm_channels=16')
    assert train(*other, work='other', more=['--resume', source]) == 2
    assert 'other shapes in' in error_of(capsys)


def test_mixed_precision_trains_on_a_cpu(train, tmp_path):
    assert train(more=['--amp']) == 0
    weights = weights_of(tmp_path / 'work' / 'iter_2.pth')
    assert {w.dtype for w in weights.values()} == {torch.float32, torch.int64}
    (log,) = (tmp_path / 'work').glob('*/*.log')
    assert 'BFloat16OptimWrapper' in log.read_text()


@pytest.mark.parametrize(
    ('classes', 'harm', 'words'),
    [
        (5, None, 'has 3 class folders and the classifier 5 classes: set model.head'),
        (3, 'train', "there is no folder '"),
        (3, 'train/dog', 'differ in 1 class folders, such as'),
        (3, 'val/dog/*', "has 1 class folders without images, such as 'dog'"),
    ],
)
def test_unfit_folders_end_the_run_before_it_starts(
    train, folders, capsys, classes, harm, words
):
    for path in folders.glob(harm) if harm else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert train(classes=classes) == 2
    assert words in error_of(capsys)


def test_epochs_stretch_the_whole_schedule(monkeypatch):
    from mmengine.config import Config
    from sctnet_pretraining.folders import set_epochs

    monkeypatch.setenv('WORLD_SIZE', '2')
    cfg = Config.fromfile(PROJECT / 'configs' / f'{TINY}.py')
    cfg.train_dataloader.batch_size = 10
    for epochs, images in ((0, 100), (-1, 100), (5, 9)):
        with pytest.raises(ConfigError, match='leaves nothing to train'):
            set_epochs(cfg, epochs, images)
    set_epochs(cfg, 3, images=2000)
    assert (cfg.train_cfg.max_iters, cfg.train_cfg.val_interval) == (300, 100)
    assert cfg.default_hooks.checkpoint.interval == 100
    warm_up, cosine = cfg.param_scheduler
    assert (warm_up.begin, warm_up.end) == (0, 15)
    assert (cosine.begin, cosine.T_max, cosine.end) == (15, 285, 300)


def test_other_backbones_and_unknown_parts_are_not_converted(tmp_path):
    weights = load_classifier().state_dict()
    other = {'backbone.layer1.weight': torch.ones(1), 'head.fc.weight': torch.ones(1)}
    lost = {k: v for k, v in weights.items() if 'dappm.shortcut' not in k}
    cases = {
        r'the model has not, 1 of extra\.weight': {**weights, 'extra.weight': 1.0},
        'and so is no SCTNet': other,
        r'it lacks .*backbone\.dappm': lost,
    }
    for told, state in cases.items():
        state = {name: torch.as_tensor(value) for name, value in state.items()}
        torch.save({'state_dict': state}, tmp_path / 'a.pth')
        with pytest.raises(CheckpointError, match=told):
            convert_checkpoint(tmp_path / 'a.pth', tmp_path / 'b.pth')
    assert not (tmp_path / 'b.pth').exists()
