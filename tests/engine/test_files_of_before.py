"""Files that earlier versions wrote: they resume, test, load and open as they did."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from own_folder import write_own_data
from support import GOLDEN

from sctnet.apis import inference_model, init_model
from sctnet.catalog import load_config, merge_options
from sctnet.cli.export import export
from sctnet.cli.infer import infer
from sctnet.cli.test import test as measure
from sctnet.cli.train import train
from sctnet.datasets.from_config import LOADERS
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine.launch import set_data_root, set_resume, set_teacher
from sctnet.engine.runner import Runner
from sctnet.errors import CheckpointError

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


def scalars(config):
    (log,) = Path(config.work_dir).glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_training_of_before_resumes_with_the_losses_that_it_had(config, folder):
    set_teacher(config, str(folder / 't.pth'))
    set_resume(config, str(CHECKPOINT))
    Runner.from_cfg(config).train()
    logged = [line for line in scalars(config) if 'loss' in line]
    expected = json.loads((FILES / 'losses.json').read_text())
    assert [line['step'] for line in logged] == [5, 6]
    for line, values in zip(logged, expected, strict=True):
        for name, value in values.items():
            assert line[name] == pytest.approx(value, rel=1e-3), name


def test_it_goes_on_longer_with_the_length_that_its_config_has(config, folder):
    set_teacher(config, str(folder / 't.pth'))
    set_resume(config, str(CHECKPOINT))
    # As a config of that time has it: a length of its own beside the loop's.
    merge_options(config, {'train_cfg.max_iters': 7, 'param_scheduler.0.max_iters': 7})
    Runner.from_cfg(config).train()
    schedule = config.param_scheduler[0]
    rates = [line['lr'] for line in scalars(config) if 'loss' in line]
    warmup = schedule.warmup_iters
    for i, rate in zip((4, 5, 6), rates, strict=True):
        factor = 1 if i >= warmup else 1 - (1 - i / warmup) * (1 - 1e-6)
        decayed = config.optim_wrapper.optimizer.lr * (1 - i / 7)
        assert rate == pytest.approx(decayed * factor, rel=1e-6)


def test_without_its_siam_it_is_refused_and_the_remedy_trains(config):
    set_resume(config, str(CHECKPOINT))
    config.model.siam, config.custom_hooks = None, []
    with pytest.raises(CheckpointError, match=r'it moves \d+ weights .*siam') as raised:
        Runner.from_cfg(config).train()
    assert f'load_from={CHECKPOINT} and without --resume' in str(raised.value)
    config.resume = False
    config.train_cfg.max_iters = 1
    config.experiment_name = config.visualizer.name = 'anew'
    assert Runner.from_cfg(config).train() is not None


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


@pytest.mark.filterwarnings('ignore::FutureWarning')  # old module names
def test_own_data_of_before_trains_tests_infers_exports_and_resumes(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_own_data(tmp_path / 'data')
    options = {f'{loader}.num_workers': 0 for loader in LOADERS.values()}
    options |= {f'{loader}.persistent_workers': False for loader in LOADERS.values()}
    options |= {'model.siam': None, 'train_cfg.max_iters': 1}
    train(str(FILES / 'own_dumped.py'), cfg_options=options, work_dir='work')
    config, work = 'work/own_dumped.py', Path('work')
    assert load_config(config).own_data.applied
    longer = {'train_cfg.max_iters': 2}
    train(config, cfg_options=longer, work_dir='work', resume='auto')
    assert (work / 'iter_2.pth').is_file()
    measure(config, 'work', work_dir='tested')
    infer('data/images/val', 'work', config=config, out_dir=Path('drawn'))
    assert len(list(Path('drawn').iterdir())) == 4
    export(config, 'work', Path('model.onnx'))
    assert Path('model.onnx').is_file()
