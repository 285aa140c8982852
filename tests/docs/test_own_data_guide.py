"""The page on data of one's own, from its commands to a trained student."""

import shlex

import pytest
from doc_pages import commands
from own_folder import CLASSES, image_path, truncate, write_own_data
from small_training import LOADERS, save_teacher

from sctnet.catalog import load_config, merge_options
from sctnet.cli import main
from sctnet.datasets.check import check_config, quick_check
from sctnet.engine.launch import set_teacher
from sctnet.engine.runner import Runner

pytestmark = pytest.mark.slow

SHORT = {'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2}
SHORT |= {'train_dataloader.batch_size': 2, 'train_cfg.max_broken_share': 0.3}
SHORT |= {'default_hooks.checkpoint.interval': 2}
SHORT |= {f'{loader}.num_workers': 0 for loader in LOADERS}
SHORT |= {f'{loader}.persistent_workers': False for loader in LOADERS}


def config(name):
    cfg = load_config(f'rooms/{name}.py')
    cfg.work_dir = f'work_dirs/{name}'
    cfg.experiment_name = cfg.visualizer.name = 'guide'  # mmengine shares it by name
    merge_options(cfg, SHORT)
    return cfg


def test_the_tutorials_student_is_trained_past_a_broken_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_own_data(tmp_path / 'data' / 'rooms')
    calls = [words for _, words in commands('docs/own_data.md')]
    (new,) = (words for words in calls if words[:2] == ['sctnet', 'new'])
    with pytest.raises(SystemExit) as ended:
        main([*new[1:], '--crop', '64'])
    assert ended.value.code == 0, shlex.join(new)
    truncate(image_path(tmp_path / 'rooms/data', 'train', 2))
    cfg = config('student')
    (fault,) = check_config(cfg).faults
    assert 'train2.png' in fault.path
    quick_check(cfg)
    set_teacher(cfg, save_teacher('teacher.pth', config('teacher').model, CLASSES))
    Runner.from_cfg(cfg).train()
    work_dir = tmp_path / 'work_dirs' / 'student'
    log = next(work_dir.glob('*/*.log')).read_text()
    for text in ('0 floor, 1 wall, 2 door', 'the teacher reaches', 'siam.loss_sdha'):
        assert text in log
    assert "train2.png' (truncated" in log
    assert list(work_dir.glob('best_mIoU*.pth'))
    assert list(work_dir.glob('iter_2.pth'))
