"""The commands of docs/reports.md run, and its links and picture are there."""

import json
import os
import re
import subprocess
import sys

import torch
from mmseg.registry import MODELS
from small_training import LEAF
from support import REPOSITORY

from sctnet.catalog import load_config
from sctnet.datasets.street_scenes import write_street_scenes

PAGE = (REPOSITORY / 'docs' / 'reports.md').read_text(encoding='utf-8')
CURVES = {'decode.loss_ce': 1.0, 'lr': 0.1, 'step': 50}


def commands():
    """Every command of the page's blocks, on one line each."""
    blocks = re.findall(r'```bash\n(.*?)```', PAGE, re.DOTALL)
    return [line for b in blocks for line in b.replace('\\\n', '').splitlines()]


def as_tool(command):
    """What mim makes of ``mim test``: its tool, with the checkpoint in second place."""
    told = r'mim test sctnet (\S+) +--checkpoint (\S+)'
    return re.sub(told, r'python tools/test.py \1 \2', command)


def test_commands_run_one_after_the_other(tmp_path):
    for name in ('student', 'teacher'):
        log = tmp_path / 'work_dirs' / name / '1' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True)
        log.write_text(json.dumps(CURVES))
    model = load_config(LEAF).model
    model.siam = None
    weights = tmp_path / re.search(r'--checkpoint (\S+)', PAGE)[1]
    torch.save({'state_dict': MODELS.build(model).state_dict(), 'meta': {}}, weights)
    scenes = tmp_path / 'data' / 'street_scenes'
    write_street_scenes(scenes, num_train=1, num_val=2, size=(128, 64))
    (tmp_path / 'tools').symlink_to(REPOSITORY / 'tools')
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ['PATH']])
    found = commands()
    assert len(found) == 3
    for command in found:
        done = subprocess.run(
            ['bash', '-c', as_tool(command)],
            cwd=tmp_path,
            env={**os.environ, 'PATH': path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr[-2000:])
    for file in ('student/curves.png', 'report/index.html', 'report/report.json'):
        assert (tmp_path / 'work_dirs' / file).stat().st_size > 1000
    assert (tmp_path / 'both.svg').stat().st_size > 1000
    report = json.loads((tmp_path / 'work_dirs/report/report.json').read_text())
    for name in re.findall(r'`(\w+)`', PAGE.rpartition('| name | holds |')[2]):
        assert name in report or name in {**report['classes'][0], **report['images'][0]}


def test_picture_and_options_are_there():
    for path in re.findall(r'\]\(([^)]+)\)', PAGE):
        assert (REPOSITORY / 'docs' / path).stat().st_size < 200_000
    tool = (REPOSITORY / 'tools' / 'plot_log.py').read_text()
    for option in re.findall(r'^\| `(--\w+)', PAGE, re.MULTILINE):
        assert f"'{option}'" in tool
