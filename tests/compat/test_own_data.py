"""Configs with the ``own_data`` of before: refused with what takes its place."""

import shlex

import numpy as np
import pytest
import torch
from mmengine.config import Config
from own_folder import label_path, write, write_own_data
from support import GOLDEN

from sctnet.apis import init_model
from sctnet.catalog import load_config, merge_options
from sctnet.cli import main
from sctnet.cli.check import check
from sctnet.cli.export import export
from sctnet.cli.infer import infer
from sctnet.cli.test import test as measure
from sctnet.cli.train import train
from sctnet.errors import ConfigError

BASE = """
from mmengine.config import read_base

with read_base():
    from sctnet.configs._base_.own_data.student_t import *

own_data.update(root='my data', classes=('floor', 'wall', 'front door'){more})
"""
SPREAD = GOLDEN / 'files' / 'own_dumped.py'


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'mine.py'
    path.write_text(BASE.format(more=''))
    torch.save({'state_dict': {}, 'meta': {}}, 'work.pth')
    return path


@pytest.mark.parametrize('call', [
    train,
    lambda path: measure(path, 'work.pth'),
    lambda path: infer('images', 'work.pth', config=path),
    lambda path: export(path, 'work.pth', 'model.onnx'),
    lambda path: init_model(path, 'work.pth', device='cpu'),
    lambda path: check(path),
    lambda path: init_model(Config({'own_data': {'root': 'x'}}), device='cpu'),
])  # fmt: skip
def test_every_command_names_the_one_that_takes_its_place(call, config):
    with pytest.raises(ConfigError, match=r'has own_data, .*sctnet new') as raised:
        call(str(config))
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('place', ['sctnet.configs', ''])  # a copy, which is not there
@pytest.mark.parametrize('shift', [0, 1])
def test_the_command_that_it_names_works(place, shift, config, tmp_path):
    root = write_own_data(tmp_path / 'my data', shift=shift)
    if shift:
        write(label_path(root, 'train', 0), np.zeros((80, 96), np.uint8))
    text = BASE.format(more=', reduce_zero_label=True' if shift else '')
    config.write_text(text.replace('sctnet.configs', place))
    with pytest.raises(ConfigError) as raised:
        load_config(config)
    words = shlex.split(str(raised.value).split('"')[1])
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    assert ended.value.code == 0
    cfg = load_config('my data_sctnet/student.py')
    dataset = cfg.train_dataloader.dataset
    assert dataset.metainfo.classes == ('floor', 'wall', 'front door')
    assert check(cfg.filename) == 0
    # What a conversion has written holds the names itself.
    config.write_text(BASE.format(more='').replace('my data', dataset.data_root))
    with pytest.raises(ConfigError, match=r'run "sctnet new [^"]*/data\'", which'):
        load_config(config)


def test_a_base_of_ones_own_and_one_without_a_folder_are_refused(config):
    config.write_text("own_data = dict(root='rooms', crop=(64, 64))\n")
    with pytest.raises(ConfigError, match=r'run "sctnet new rooms", which'):
        load_config(config)
    config.write_text('own_data = dict(classes=CLASSES)\n'.replace('CLASSES', '[]'))
    with pytest.raises(ConfigError, match="run 'sctnet new FOLDER', which"):
        load_config(config)
    config.write_text('own_data = "a name of the user\'s"\n')
    assert load_config(config).own_data


@pytest.mark.filterwarnings('ignore::FutureWarning')  # module names of before
def test_what_was_spread_stays_and_options_name_the_value_itself():
    cfg = load_config(SPREAD)
    assert load_config(cfg).own_data.applied
    merge_options(cfg, {'train_cfg.max_iters': 20})
    assert cfg.train_cfg.max_iters == 20
    with pytest.raises(ConfigError, match=r'own_data\.iterations changes nothing any'):
        merge_options(cfg, {'own_data.iterations': 20})
