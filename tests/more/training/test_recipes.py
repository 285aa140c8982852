"""Every published recipe trains as its user starts it, real networks and layouts."""

import json
import shutil
import uuid
from itertools import chain

import pytest
import torch
from generated_data import write_all
from small_training import save_teacher_of
from support import SHORT_NAMES
from test_wheel import run
from tool_process import metrics

from sctnet.catalog import load_config, short_names
from sctnet.datasets.from_config import LOADERS
from sctnet.engine import launch, preflight

TERMS = ('sdha_logits', 'sdha_feature', 'bfa_stage3', 'bfa_stage4')
TEACHERS = [
    f'segformer-{size}-{data}'
    for size in ('b2', 'b3')
    for data in ('cityscapes', 'ade', 'coco')
]


def small(iterations):
    """Options that shrink sizes alone: of crops, images, batches and the run."""
    return {
        **{f'{loader}.num_workers': 0 for loader in LOADERS.values()},
        'train_dataloader.batch_size': 2,
        'train_dataloader.dataset.pipeline.2.scale': (256, 128),
        'train_dataloader.dataset.pipeline.3.crop_size': (96, 96),
        'val_dataloader.dataset.pipeline.1.scale': (256, 96),
        'test_dataloader.dataset.pipeline.1.scale': (256, 96),
        'model.data_preprocessor.size': (96, 96),
        'train_cfg.max_iters': iterations,
        'train_cfg.val_interval': iterations,
        'default_hooks.checkpoint.interval': iterations,
        'default_hooks.logger.interval': 1,
    }


def words(options):
    """``options`` as a command line has them."""
    pairs = (f'{key}={value}'.replace(' ', '') for key, value in options.items())
    return ['--cfg-options', *pairs]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """The three data sets, as the folder ``data``."""
    return write_all(tmp_path_factory.mktemp('generated') / 'data')


@pytest.fixture
def folder(data, tmp_path, monkeypatch):
    """An unrelated folder with nothing but ``data``, emptied afterwards."""
    (tmp_path / 'data').symlink_to(data)
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    # Half a gigabyte each, and pytest would keep the folders of three runs.
    shutil.rmtree(tmp_path / 'work', ignore_errors=True)


@pytest.fixture(scope='module')
def teacher_file(tmp_path_factory):
    """Builder of files with random weights, one for each config of a teacher."""
    place = tmp_path_factory.mktemp('teachers')

    def build(config):
        path = place / f'{config}.pth'
        return path if path.exists() else save_teacher_of(path, config)

    yield build
    shutil.rmtree(place)


@pytest.mark.parametrize('name', SHORT_NAMES)
def test_recipe_trains_validates_and_saves_no_teacher(name, folder, teacher_file):
    leaf = short_names()[SHORT_NAMES[name]]
    teacher = teacher_file(load_config(leaf).custom_hooks[0].teacher)
    if name == 'city_s_seg50':  # the one that loses its teacher below
        teacher = shutil.copy(teacher, folder / 'teacher.pth')
    out = run(
        'mim', 'train', 'sctnet', f'{leaf}.py', '--work-dir', 'work',
        '--teacher', teacher,
        *words(small(3)), 'custom_hooks.0.sanity_images=1',
        cwd=folder,
    )  # fmt: skip
    (log,) = (folder / 'work').glob('*/*.log')
    text = log.read_text()
    assert 'Training finished successfully' in out
    assert 'mIoU on 1 validation images' in text
    losses = [f'siam.loss_{term}: ' for term in TERMS]
    losses += ['decode.loss_ce: ', 'aux.loss_ce: ']
    for iteration in (1, 2, 3):
        (line,) = (x for x in text.splitlines() if f'Iter(train) [{iteration}/3]' in x)
        assert all(loss in line for loss in losses), line
    assert 0 <= validated(folder) <= 100
    saved = torch.load(folder / 'work' / 'iter_3.pth', weights_only=True)
    assert not [key for key in saved['state_dict'] if 'teacher' in key]
    assert saved['state_dict'].keys() == built(leaf).state_dict().keys()
    if name == 'city_s_seg50':
        check_test_without_teacher(leaf, teacher, folder)


def validated(folder):
    """The mIoU of the last validation of a training."""
    (path,) = (folder / 'work').glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    (miou,) = (line['mIoU'] for line in lines if 'mIoU' in line)
    return miou


def built(leaf):
    from mmseg.registry import MODELS

    return MODELS.build(load_config(leaf).model)


def check_test_without_teacher(leaf, teacher, folder):
    before = validated(folder)
    teacher.unlink()
    out = run(
        'mim', 'test', 'sctnet', f'{leaf}.py', '--checkpoint', 'work/iter_3.pth',
        '--work-dir', 'tested', *words(small(3)),
        cwd=folder,
    )  # fmt: skip
    assert 'Testing finished successfully' in out
    assert metrics(folder / 'tested')['mIoU'] == pytest.approx(before, abs=0.011)


@pytest.mark.parametrize('name', TEACHERS)
def test_teacher_config_trains(name, folder):
    """What sctnet train does, in this process."""
    from sctnet.engine.runner import Runner

    cfg = launch.prepare_config(
        short_names()[name], work_dir=str(folder / 'work'), cfg_options=small(1)
    )
    cfg.experiment_name = cfg.visualizer.name = uuid.uuid4().hex
    preflight.check_data(cfg, LOADERS.values())
    runner = Runner.from_cfg(cfg)
    before = {k: v.detach().clone() for k, v in runner.model.named_parameters()}
    runner.train()
    after = dict(runner.model.named_parameters())
    assert all(p.isfinite().all() for p in chain(before.values(), after.values()))
    assert any(not torch.equal(before[k], after[k]) for k in before)
    assert 0 <= validated(folder) <= 100
    assert (folder / 'work' / 'iter_1.pth').is_file()
