"""Files that earlier versions wrote: they resume, test, load and open as they did."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from support import GOLDEN

from sctnet.apis import inference_model, init_model
from sctnet.catalog import load_config
from sctnet.datasets.from_config import LOADERS
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine.launch import set_data_root, set_resume, set_teacher
from sctnet.engine.runner import Runner

pytestmark = pytest.mark.slow

FILES = GOLDEN / 'files'
CHECKPOINT = FILES / 'narrow_iter_4.pth'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """The street scenes and the teacher of that training."""
    folder = tmp_path_factory.mktemp('before')
    write_street_scenes(folder / 'data', num_train=6, num_val=2, size=(128, 64))
    torch.manual_seed(0)
    teacher = MODELS.build(load_config('segformer-t-streets').model)
    torch.save({'state_dict': teacher.state_dict(), 'meta': {}}, folder / 't.pth')
    return folder


def dumped(name):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FutureWarning)  # old module names
        return load_config(FILES / name)


@pytest.fixture
def config(folder, tmp_path):
    cfg = dumped('narrow_dumped.py')
    set_data_root(cfg, str(folder / 'data'))
    cfg.work_dir, cfg.launcher = str(tmp_path), 'none'
    cfg.experiment_name = cfg.visualizer.name = tmp_path.name
    for loader in LOADERS.values():
        cfg[loader].num_workers = 0
    return cfg


def test_a_training_of_before_resumes_with_the_losses_that_it_had(config, folder):
    set_teacher(config, str(folder / 't.pth'))
    set_resume(config, str(CHECKPOINT))
    Runner.from_cfg(config).train()
    (log,) = Path(config.work_dir).glob('*/vis_data/scalars.json')
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    logged = [line for line in logged if 'loss' in line]
    expected = json.loads((FILES / 'losses.json').read_text())
    assert [line['step'] for line in logged] == [5, 6]
    for line, values in zip(logged, expected, strict=True):
        for name, value in values.items():
            assert line[name] == pytest.approx(value, rel=1e-3), name


def test_a_checkpoint_of_before_tests(config):
    config.load_from = str(CHECKPOINT)
    assert 0 <= Runner.from_cfg(config).test()['mIoU'] <= 100


def test_a_config_and_its_checkpoint_of_before_load_and_the_export_agrees(config):
    image = np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8)
    model = init_model(config, CHECKPOINT, 'cpu', backend='torch')
    labels = inference_model(model, image).pred_sem_seg.data
    exported = init_model(FILES / 'narrow.onnx', device='cpu')
    same = inference_model(exported, image).pred_sem_seg.data == labels
    assert same.float().mean() > 0.99


def test_own_data_of_before_loads():
    cfg = dumped('own_dumped.py')
    assert isinstance(cfg, Config)
    assert MODELS.build(cfg.model)
