import argparse
import os

import pytest

from sctnet import launch
from sctnet.catalog import load_config
from sctnet.errors import ConfigError, DataError, OutputError, SCTNetError


def parse(*words):
    parser = argparse.ArgumentParser()
    launch.add_run_arguments(parser)
    return parser.parse_args(['sctnet-s-seg50', *words])


def data_roots(cfg):
    return {cfg[name].dataset.data_root for name in launch.LOADERS}


def test_data_root_reaches_all_loaders_both_ways(tmp_path):
    work_dir = ('--work-dir', str(tmp_path))
    cfg = launch.prepare_config(parse('--data-root', 'a', *work_dir))
    assert data_roots(cfg) == {'a'}
    cfg = launch.prepare_config(parse('--cfg-options', 'data_root=b', *work_dir))
    assert data_roots(cfg) == {'b'}


def test_options_and_work_dir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = launch.prepare_config(parse('--cfg-options', 'train_dataloader.batch_size=3'))
    assert cfg.train_dataloader.batch_size == 3
    assert cfg.work_dir.endswith('sctnet_s_seg50_2xb8_160k_cityscapes_512x1024')
    assert os.path.isdir(cfg.work_dir)


@pytest.mark.parametrize('spelling', ['--local-rank', '--local_rank'])
def test_local_rank_in_both_spellings(spelling, tmp_path, monkeypatch):
    monkeypatch.delenv('LOCAL_RANK', raising=False)
    launch.prepare_config(parse(f'{spelling}=1', '--work-dir', str(tmp_path)))
    assert os.environ['LOCAL_RANK'] == '1'
    monkeypatch.setenv('LOCAL_RANK', '3')  # torchrun's wins
    launch.prepare_config(parse(f'{spelling}=1', '--work-dir', str(tmp_path)))
    assert os.environ['LOCAL_RANK'] == '3'


def test_unwritable_work_dir(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match='--work-dir'):
        launch.prepare_config(parse('--work-dir', str(tmp_path / 'file' / 'w')))


def test_missing_data_names_what_was_looked_for(streets, tmp_path):
    cfg = load_config('sctnet-s-seg50')
    with pytest.raises(DataError, match=r'data/cityscapes/leftImg8bit/val') as caught:
        launch.check_data(cfg, ('test_dataloader',))
    assert '--data-root' in str(caught.value)
    assert '\n' not in str(caught.value)
    launch.set_data_root(cfg, str(tmp_path))
    (tmp_path / 'leftImg8bit' / 'val').mkdir(parents=True)
    with pytest.raises(DataError, match=r'no file named \*_leftImg8bit\.png'):
        launch.check_data(cfg, ('test_dataloader',))
    launch.set_data_root(cfg, str(streets))
    launch.check_data(cfg, launch.LOADERS)


def test_cityscapes_without_train_ids_says_so(streets, tmp_path):
    root = tmp_path / 'cityscapes'
    (root / 'gtFine' / 'val').mkdir(parents=True)
    (root / 'leftImg8bit').symlink_to(streets / 'leftImg8bit')
    cfg = load_config('sctnet-s-seg50')
    launch.set_data_root(cfg, str(root))
    with pytest.raises(DataError, match=r'labelTrainIds\.png.*with its own scripts'):
        launch.check_data(cfg, ('test_dataloader',))


def test_wrapped_data_sets_are_checked_and_pointed_too():
    cfg = load_config('sctnet-s-ade')
    cfg.train_dataloader.dataset = {
        'type': 'RepeatDataset',
        'times': 2,
        'dataset': cfg.train_dataloader.dataset,
    }
    launch.set_data_root(cfg, 'elsewhere')
    assert cfg.train_dataloader.dataset.dataset.data_root == 'elsewhere'
    with pytest.raises(DataError, match='elsewhere/images/training'):
        launch.check_data(cfg, ('train_dataloader',))


def test_resume_tta_amp_and_show(monkeypatch):
    cfg = load_config('sctnet-s-seg50')
    launch.set_resume(cfg, 'auto')
    assert (cfg.resume, cfg.load_from) == (True, None)
    launch.set_resume(cfg, 'a.pth')
    assert (cfg.resume, cfg.load_from) == (True, 'a.pth')
    launch.draw_results(cfg, 'shown')
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
    with pytest.raises(ConfigError, match='needs a GPU'):
        launch.enable_amp(cfg)
    cfg.pop('tta_pipeline')
    with pytest.raises(ConfigError, match='--tta needs'):
        launch.enable_tta(cfg)


def test_processes_without_a_gpu_need_batch_norm(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    cfg = load_config('sctnet-s-seg50')
    cfg.launcher = 'pytorch'
    with pytest.raises(ConfigError, match='cannot use SyncBN'):
        launch.join_cpu_processes(cfg)
    cfg.launcher = 'none'
    launch.join_cpu_processes(cfg)


def test_expected_errors_end_a_tool_in_one_line(capsys):
    def fail():
        raise SCTNetError('the thing is wrong: mend it')

    with pytest.raises(SystemExit) as caught:
        launch.run_tool(fail)
    assert caught.value.code == 2
    assert capsys.readouterr().err == 'error: the thing is wrong: mend it\n'
    with pytest.raises(ZeroDivisionError):  # a defect of ours keeps its traceback
        launch.run_tool(lambda: 1 / 0)
