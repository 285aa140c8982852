"""The tutorial on own data trains a student, its length and crop cut by options."""

import pytest
from doc_pages import blocks
from mmengine.runner import Runner
from own_folder import CLASSES, image_path, truncate, write_own_data
from small_training import LOADERS, save_teacher

from sctnet.catalog import load_config
from sctnet.datasets.check import check_config, quick_check
from sctnet.engine.launch import merge_options, set_teacher

pytestmark = pytest.mark.slow

SHORT = {f'own_data.{key}': 2 for key in ('iterations', 'batch')}
SHORT |= {'own_data.crop': (64, 64), 'train_cfg.max_broken_share': 0.3}
SHORT |= {f'{loader}.num_workers': 0 for loader in LOADERS}
SHORT |= {f'{loader}.persistent_workers': False for loader in LOADERS}


def config(name):
    cfg = load_config(f'my_{name}.py')
    cfg.work_dir = f'work_dirs/{name}'
    merge_options(cfg, SHORT)
    return cfg


def test_the_tutorials_student_is_trained_past_a_broken_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    codes = [b.code for b in blocks('docs/own_data.md', 'python')]
    configs = [code for code in codes if 'read_base()' in code]
    for name, code in zip(('teacher', 'student'), configs, strict=True):
        (tmp_path / f'my_{name}.py').write_text(code)
    root = write_own_data(tmp_path / 'data' / 'rooms')
    truncate(image_path(root, 'train', 2))
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
