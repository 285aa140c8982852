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


def test_mixed_precision_trains_on_a_cpu(train, tmp_path):
    assert train(more=['--amp']) == 0
    weights = weights_of(tmp_path / 'work' / 'iter_2.pth')
    assert {w.dtype for w in weights.values()} == {torch.float32, torch.int64}
    (log,) = (tmp_path / 'work').glob('*/*.log')
    assert 'BFloat16OptimWrapper' in log.read_text()


def test_half_written_image_ends_the_training_in_one_sentence(train, folders, capsys):
    for path in (folders / 'train').rglob('*.jpg'):
        path.write_bytes(path.read_bytes()[:300])
    options = ('train_dataloader.num_workers=1', 'train_dataloader.prefetch_factor=2')
    assert train(*options, 'train_cfg.max_iters=2') == 2
    error = error_of(capsys)
    assert error.startswith('error: 12 files in a row are broken')
    assert 'truncated or not an image' in error


@pytest.mark.parametrize(
    ('classes', 'harm', 'words'),
    [
        (
            5,
            None,
            'has 3 class folders and the classifier 5 classes: set model.head.num',
        ),
        (3, 'train', "there is no folder '"),
        (3, 'train/dog', 'differ in 1 class folders, such as'),
        (3, 'val/dog/*', "has 1 class folders without images, such as 'dog'"),
        (3, 'val/*', 'has no class folders'),
    ],
)
def test_unfit_folders_end_the_run_before_it_starts(
    train, folders, capsys, classes, harm, words
):
    for path in folders.glob(harm) if harm else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert train(classes=classes) == 2
    assert words in error_of(capsys)


def test_list_of_files_takes_the_place_of_class_folders(train, folders, tmp_path):
    lines = [
        f'{path.parent.name}-{path.name} {label}'
        for label, name in enumerate(('cat', 'dog', 'tree'))
        for path in sorted((folders / 'val' / name).iterdir())
    ]
    for path in list((folders / 'val').rglob('*.jpg')):
        path.rename(folders / 'val' / f'{path.parent.name}-{path.name}')
    for name in ('cat', 'dog', 'tree'):
        (folders / 'val' / name).rmdir()
    (folders / 'val.txt').write_text('\n'.join(lines))
    options = ('train_cfg.max_iters=2', 'val_dataloader.dataset.ann_file=val.txt')
    assert train(*options) == 0
    assert list((tmp_path / 'work').glob('best_accuracy_top1_iter_2.pth'))


def test_other_config_is_refused_when_resuming(train, tmp_path, capsys):
    assert train() == 0
    file = tmp_path / 'work' / 'iter_2.pth'
    capsys.readouterr()
    options = ('train_cfg.max_iters=4', 'model.backbone.dappm_channels=16')
    assert train(*options, work='other', more=['--resume', file]) == 2
    assert 'other shapes in' in error_of(capsys)


def test_unknown_config_is_named(run, capsys):
    assert run(PROJECT / 'train.py', 'sctnet_x') == 2
    assert "there is no config 'sctnet_x'" in error_of(capsys)


def config_of(batch):
    from mmengine.config import Config

    cfg = Config.fromfile(PROJECT / 'configs' / f'{TINY}.py')
    cfg.train_dataloader.batch_size = batch
    return cfg


def test_epochs_stretch_the_whole_schedule(monkeypatch):
    from sctnet_pretraining.folders import set_epochs

    monkeypatch.setenv('WORLD_SIZE', '2')
    cfg = config_of(10)
    set_epochs(cfg, 3, images=2000)
    assert (cfg.train_cfg.max_iters, cfg.train_cfg.val_interval) == (300, 100)
    assert cfg.default_hooks.checkpoint.interval == 100
    warm_up, cosine = cfg.param_scheduler
    assert (warm_up.begin, warm_up.end) == (0, 15)
    assert (cosine.begin, cosine.T_max, cosine.end) == (15, 285, 300)


@pytest.mark.parametrize(('epochs', 'images'), [(0, 100), (-1, 100), (5, 9)])
def test_epochs_without_an_iteration_are_refused(epochs, images):
    from sctnet_pretraining.folders import set_epochs

    with pytest.raises(ConfigError, match='leaves nothing to train'):
        set_epochs(config_of(10), epochs, images)


def test_other_backbones_and_unknown_parts_are_not_converted(tmp_path):
    weights = load_classifier().state_dict()
    file = tmp_path / 'a.pth'
    torch.save({'state_dict': {**weights, 'extra.weight': torch.ones(1)}}, file)
    with pytest.raises(CheckpointError, match=r'the model has not, 1 of extra\.weight'):
        convert_checkpoint(file, tmp_path / 'b.pth')
    other = {'backbone.layer1.weight': torch.ones(1), 'head.fc.weight': torch.ones(1)}
    torch.save({'state_dict': other}, file)
    with pytest.raises(CheckpointError, match='and so is no SCTNet'):
        convert_checkpoint(file, tmp_path / 'b.pth')
    lost = {k: v for k, v in weights.items() if 'dappm.shortcut' not in k}
    torch.save({'state_dict': lost}, file)
    with pytest.raises(CheckpointError, match=r'it lacks .*backbone\.dappm'):
        convert_checkpoint(file, tmp_path / 'b.pth')
    assert not (tmp_path / 'b.pth').exists()
