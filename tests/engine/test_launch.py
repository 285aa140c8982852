import argparse
import os

import pytest
import torch

from sctnet.catalog import load_config
from sctnet.cli.arguments import add_run_arguments
from sctnet.datasets.from_config import LOADERS
from sctnet.engine import launch
from sctnet.errors import CheckpointError, ConfigError, OutputError


def prepare(*words):
    parser = argparse.ArgumentParser()
    add_run_arguments(parser)
    arguments = parser.parse_args(['sctnet-s-seg50', *words])
    return launch.prepare_config(**vars(arguments))


def data_roots(cfg, *loaders):
    return {cfg[name].dataset.data_root for name in loaders or LOADERS.values()}


def test_data_root_reaches_all_loaders_both_ways(tmp_path):
    work_dir = ('--work-dir', str(tmp_path))
    cfg = prepare('--data-root', 'a', *work_dir)
    assert data_roots(cfg) == {'a'}
    cfg = prepare('--cfg-options', 'data_root=b', *work_dir)
    assert data_roots(cfg) == {'b'}


def test_one_folder_does_not_replace_two_roots(tmp_path):
    parts = [
        {'type': 'ADE20KDataset', 'data_root': root, 'data_prefix': {'img_path': 'i'}}
        for root in ('near', 'far')
    ]
    cfg = load_config('sctnet-s-ade')
    cfg.train_dataloader.dataset = {'type': 'ConcatDataset', 'datasets': parts}
    for loader in ('val_dataloader', 'test_dataloader'):
        cfg[loader].dataset.data_root = 'near'
    keys = [f'train_dataloader.dataset.datasets.{i}.data_root' for i in (0, 1)]
    said = rf'have 2 roots.* val_dataloader\.dataset\.data_root=near and {keys[1]}=far$'
    with pytest.raises(ConfigError, match=said):
        launch.set_data_root(cfg, 'new')
    assert data_roots(cfg, 'val_dataloader') == {'near'}
    cfg.merge_from_dict({keys[1]: 'near'})  # the remedy
    launch.set_data_root(cfg, 'new')
    assert [one.data_root for one in cfg.train_dataloader.dataset.datasets] == [
        'new'
    ] * 2


def test_options_and_work_dir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = prepare('--cfg-options', 'train_dataloader.batch_size=3')
    assert cfg.train_dataloader.batch_size == 3
    assert cfg.work_dir.endswith('sctnet_s_seg50_2xb8_160k_cityscapes_512x1024')
    assert os.path.isdir(cfg.work_dir)


@pytest.mark.parametrize('spelling', ['--local-rank', '--local_rank'])
def test_local_rank_in_both_spellings(spelling, tmp_path, monkeypatch):
    monkeypatch.delenv('LOCAL_RANK', raising=False)
    prepare(f'{spelling}=1', '--work-dir', str(tmp_path))
    assert os.environ['LOCAL_RANK'] == '1'
    monkeypatch.setenv('LOCAL_RANK', '3')  # torchrun's wins
    prepare(f'{spelling}=1', '--work-dir', str(tmp_path))
    assert os.environ['LOCAL_RANK'] == '3'


def test_unwritable_work_dir(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match='--work-dir'):
        prepare('--work-dir', str(tmp_path / 'file' / 'w'))


def test_resume_tta_amp_and_show(monkeypatch, tmp_path):
    cfg = load_config('sctnet-s-seg50')
    own = str(tmp_path / 'own.pth')
    state = {'message_hub': {}, 'optimizer': {}}
    torch.save({'state_dict': {'w': torch.ones(1)}, **state}, own)
    launch.set_resume(cfg, own)
    assert (cfg.resume, cfg.load_from) == (True, own)
    launch.draw_results(cfg, str(tmp_path / 'shown'))
    assert cfg.default_hooks.visualization.draw is True
    launch.enable_tta(cfg)
    assert cfg.model.type.__name__ == 'SegTTAModel'
    assert cfg.model.module.type.__name__ == 'SCTSegmentor'
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    launch.enable_amp(cfg)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.optim_wrapper.loss_scale == 'dynamic'
    cfg.optim_wrapper.type = 'Other'
    with pytest.raises(ConfigError, match=r'optim_wrapper\.type=Other'):
        launch.enable_amp(cfg)


def test_amp_without_a_gpu_and_tta_without_a_pipeline(monkeypatch):
    cfg = load_config('sctnet-s-seg50')
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    launch.enable_amp(cfg)
    assert cfg.optim_wrapper.type == 'BFloat16OptimWrapper'
    assert 'BFloat16OptimWrapper' in cfg.pretty_text
    launch.enable_amp(cfg)  # again, or written in the config
    assert cfg.optim_wrapper.type == 'BFloat16OptimWrapper'
    assert 'BFloat16OptimWrapper' in cfg.pretty_text
    cfg.pop('tta_pipeline')
    with pytest.raises(ConfigError, match='--tta needs'):
        launch.enable_tta(cfg)


def test_auto_resume_takes_the_work_folders_newest(tmp_path, capsys):
    cfg = load_config('sctnet-s-seg50')
    cfg.work_dir = str(tmp_path)
    launch.set_resume(cfg, 'auto')
    assert cfg.resume is False
    assert 'starting from the beginning' in capsys.readouterr().out
    for iteration in (9, 10):
        state = {'message_hub': {}, 'optimizer': {}}
        state['state_dict'] = {'w': torch.ones(1)}
        torch.save(state, tmp_path / f'iter_{iteration}.pth')
    for resume in ('auto', str(tmp_path)):
        cfg.resume, cfg.load_from = False, None
        launch.set_resume(cfg, resume)
        assert (cfg.resume, cfg.load_from) == (True, str(tmp_path / 'iter_10.pth'))


def test_teacher_option_reaches_the_hook():
    cfg = load_config('sctnet-s-seg50')
    launch.set_teacher(cfg, 'teacher.pth')
    assert cfg.custom_hooks[0].checkpoint == 'teacher.pth'
    with pytest.raises(ConfigError, match='has no DistillationHook'):
        launch.set_teacher(load_config('segformer-b2-ade'), 'teacher.pth')


def test_a_teacher_that_is_not_there_is_said_before_the_runner(tmp_path, monkeypatch):
    cfg = load_config('sctnet-s-seg50')
    with pytest.raises(CheckpointError, match=r"'segformer.*' has no weights: name"):
        launch.check_teacher(cfg)
    launch.set_teacher(cfg, 'gone.pth')
    with pytest.raises(CheckpointError, match=r"'gone\.pth' does not exist"):
        launch.check_teacher(cfg)
    launch.set_teacher(cfg, str(tmp_path))
    with pytest.raises(CheckpointError, match=r'holds no best_\*\.pth'):
        launch.check_teacher(cfg)
    monkeypatch.setenv('HOME', str(tmp_path.parent))
    (tmp_path / 'best_mIoU.pth').write_bytes(b'')
    home = f'~/{tmp_path.name}'
    for given in (tmp_path, home, f'{home}/best_mIoU.pth', 'https://host/teacher.pth'):
        launch.set_teacher(cfg, str(given))
        launch.check_teacher(cfg)


def test_a_student_that_learns_alone_needs_no_teacher():
    cfg = load_config('sctnet-s-seg50')
    launch.set_teacher(cfg, 'gone.pth')
    for alone in ('bfa', 'sdha'):
        cfg.model.siam = {alone: {'stage4': {}}}
        with pytest.raises(CheckpointError, match='does not exist'):
            launch.check_teacher(cfg)
    cfg.model.siam = {'bfa': None, 'sdha': None}
    launch.check_teacher(cfg)
    cfg.model.siam = None
    launch.check_teacher(cfg)
    launch.check_teacher(load_config('segformer-b2-ade'))


def test_weights_without_training_state_cannot_be_resumed(released_city_s, tmp_path):
    cfg = load_config('sctnet-s-seg50')
    with pytest.raises(CheckpointError, match='--cfg-options load_from='):
        launch.set_resume(cfg, str(released_city_s))
    with pytest.raises(CheckpointError, match='does not exist'):
        launch.set_resume(cfg, str(tmp_path / 'nowhere.pth'))


def test_weights_to_start_from_are_read_before_the_data(released_city_s, tmp_path):
    cfg = load_config('sctnet-s-seg50')
    launch.set_start(cfg, None)
    assert cfg.load_from is None
    launch.set_start(cfg, str(released_city_s))
    assert (cfg.resume, cfg.load_from) == (False, str(released_city_s))
    (tmp_path / 'iter_9.pth').write_bytes(released_city_s.read_bytes())
    launch.set_start(cfg, str(tmp_path))
    assert cfg.load_from == str(tmp_path / 'iter_9.pth')
    launch.set_start(cfg, 'https://host/weights.pth')
    assert cfg.load_from == 'https://host/weights.pth'
    (tmp_path / 'net.onnx').write_bytes(b'')
    for name, said in (('net.onnx', 'an exported network'), ('gone', 'does not exist')):
        with pytest.raises(CheckpointError, match=said):
            launch.set_start(cfg, str(tmp_path / name))
        cfg.load_from = str(tmp_path / name)
        with pytest.raises(CheckpointError, match=said):
            launch.set_start(cfg, None)
        launch.set_start(cfg, None, resume='auto')  # which may have its own


@pytest.mark.parametrize('resume', ['auto', 'iter_9.pth', None])
def test_a_training_starts_from_weights_or_is_resumed(resume, released_city_s):
    cfg = load_config('sctnet-s-seg50')
    cfg.resume = resume is None  # in the config
    with pytest.raises(ConfigError, match='give one of the two'):
        launch.set_start(cfg, str(released_city_s), resume)


def test_places_for_pictures_and_labels_are_checked_first(tmp_path):
    (tmp_path / 'file').write_text('')
    cfg = load_config('sctnet-s-seg50')
    with pytest.raises(OutputError, match='--show-dir'):
        launch.draw_results(cfg, str(tmp_path / 'file' / 'x'))


def test_what_a_config_misspells_is_said_before_anything_is_built(tmp_path):
    words = ('--cfg-options', 'model.siam.sdah=None', '--work-dir', str(tmp_path))
    with pytest.raises(ConfigError, match=r"no argument 'sdah'; did you mean 'sdha'"):
        prepare(*words)
