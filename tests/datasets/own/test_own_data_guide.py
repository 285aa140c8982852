"""The tutorial on own data: its configs and its commands."""

import re
from pathlib import Path

import pytest
from own_folder import (
    image_path,
    truncate,
    write_own_data,
)
from support import REPOSITORY
from tool_process import one_line_error, start


def python_blocks(page):
    text = (REPOSITORY / page).read_text(encoding='utf-8')
    blocks = re.findall(r'```python\n(.*?)```', text, re.DOTALL)
    return [block for block in blocks if 'own_data.update' in block]


def test_template_and_pages_hold_the_same_configs():
    teacher, student = python_blocks('docs/own_data.md')
    assert python_blocks('README.md') == [student]
    for name, block in (('my_teacher.py', teacher), ('my_student.py', student)):
        template = (REPOSITORY / 'projects' / 'own_data' / name).read_text()
        assert template.partition('\n\n')[2] == block


@pytest.mark.slow
def test_teacher_then_student_are_trained_and_tested(tmp_path):
    """The tutorial's configs, their length and crop cut by options."""
    root = write_own_data(tmp_path / 'data' / 'rooms')
    truncate(image_path(root, 'train', 2))
    for name, block in zip(
        ('my_teacher.py', 'my_student.py'),
        python_blocks('docs/own_data.md'),
        strict=True,
    ):
        (tmp_path / name).write_text(block)
    done = start('check_dataset.py', 'my_student.py', cwd=tmp_path)
    assert done.returncode == 1
    assert 'train2.png' in done.stdout
    options = ['--cfg-options', 'train_cfg.max_broken_share=0.3']
    options += ['own_data.iterations=2', 'own_data.batch=2', 'own_data.crop=(64,64)']
    for part in ('train', 'val', 'test'):
        options += [f'{part}_dataloader.num_workers=0']
        options += [f'{part}_dataloader.persistent_workers=False']
    done = start('train.py', 'my_teacher.py', *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'data set, train: broken image' in done.stdout + done.stderr
    teach = ('--teacher', 'work_dirs/my_teacher', '--no-check')
    done = start('train.py', 'my_student.py', *teach, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    log = done.stdout + done.stderr
    assert 'data set, train: broken image' not in log
    assert '0 floor, 1 wall, 2 door' in log
    assert 'the teacher reaches' in log
    assert 'siam.loss_sdha_logits' in log
    assert "train2.png' (truncated" in log
    assert list((tmp_path / 'work_dirs' / 'my_student').glob('best_mIoU*.pth'))
    (weights,) = (tmp_path / 'work_dirs' / 'my_student').glob('iter_2.pth')
    for words, result in (
        (('plot_log.py', *Path(tmp_path, 'work_dirs').iterdir()), None),
        (('test.py', 'my_student.py', weights, '--report', 'report'), 'report'),
        (('infer.py', 'data/rooms/images/val', '--checkpoint', weights), 'results'),
    ):
        own = ('--config', 'my_student.py') if words[0] == 'infer.py' else ()
        done = start(*words, *own, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-3000:]
        assert result is None or any((tmp_path / result).iterdir())
    truncate(image_path(root, 'val', 1))
    error = one_line_error(start('test.py', 'my_student.py', weights, cwd=tmp_path))
    assert "val1.png' is broken" in error
