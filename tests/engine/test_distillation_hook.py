import copy
import re
import shutil
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from small_training import small_config

from sctnet.apis import init_model
from sctnet.catalog import load_config
from sctnet.engine import DistillationHook
from sctnet.engine.runner import Runner
from sctnet.errors import CheckpointError, ConfigError, DataError, TrainingError


@pytest.fixture
def cfg(streets, teacher_file, tmp_path):
    options = {'default_hooks.checkpoint.interval': 1}
    work_dir = tmp_path / 'work'
    return small_config(streets, work_dir, teacher_file, options, iterations=2)


class Watch(Hook):
    """Looks at the training from inside, at every iteration."""

    def __init__(self, look):
        self.look = look

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.look(runner, outputs)


def test_teacher_is_nowhere_but_in_the_losses(cfg, teacher_file):
    cfg.custom_hooks.append({'type': 'EMAHook'})
    expected = torch.load(teacher_file, weights_only=True)['state_dict']
    seen = []

    def look(runner, outputs):
        teacher = runner.model.teacher
        own = {id(p) for p in teacher.parameters()}
        trained = runner.optim_wrapper.optimizer.param_groups
        assert not own & {id(p) for group in trained for p in group['params']}
        assert not own & {id(p) for p in runner.model.parameters()}
        assert not any(module.training for module in teacher.modules())
        assert all(p.grad is None for p in teacher.parameters())
        assert not any(m is teacher for m in runner.model.modules())
        seen.append((teacher, outputs))

    runner = Runner.from_cfg(cfg)
    runner.register_hook(Watch(look))
    before = {k: v.clone() for k, v in runner.model.state_dict().items()}
    runner.train()
    (teacher, outputs), _ = seen
    for key, weight in teacher.segmentor.state_dict().items():
        assert torch.equal(weight, expected[key]), key
    names = ('bfa_stage3', 'bfa_stage4', 'sdha_feature', 'sdha_logits')
    assert all(outputs[f'siam.loss_{name}'] > 0 for name in names)
    assert runner.model.teacher is None  # detached at the end
    after = runner.model.state_dict()
    assert after.keys() == before.keys()
    assert not torch.equal(
        after['siam.sdha.projection.weight'], before['siam.sdha.projection.weight']
    )
    checkpoint = torch.load(f'{cfg.work_dir}/iter_2.pth', weights_only=True)
    assert len(checkpoint['optimizer']['param_groups'][0]['params']) <= len(before)
    for part in ('state_dict', 'ema_state_dict'):
        names = {key.removeprefix('module.') for key in checkpoint[part]} - {'steps'}
        assert names == before.keys()


def test_attaches_without_a_runner_and_copies_leave_it_behind(
    teacher_file, monkeypatch
):
    said = []
    place = 'sctnet.engine.distillation_hook.print_log'
    monkeypatch.setattr(place, lambda text, _: said.append(text))
    student = MODELS.build(load_config('sctnet-t-streets').model)
    with pytest.raises(ConfigError, match='use a DistillationHook'):
        student.loss(torch.randn(2, 3, 64, 64), make_samples())
    teacher = DistillationHook('segformer-t-streets', teacher_file).attach(student)
    assert student.teacher is teacher
    (line,) = said
    assert re.fullmatch(rf"teacher: loaded all \d+ weights from '{teacher_file}'", line)
    losses = student.train().loss(torch.randn(2, 3, 64, 64), make_samples())
    assert sum(name.startswith('siam.loss_') for name in losses) == 4
    assert copy.deepcopy(student).teacher is None
    student.detach_teacher()
    assert student.teacher is None


def make_samples():
    labels = torch.randint(0, 19, (2, 1, 64, 64))
    return [SegDataSample(gt_sem_seg=PixelData(data=one)) for one in labels]


def test_testing_and_inference_need_no_teacher_file(cfg, tmp_path):
    cfg.custom_hooks[0].checkpoint = str(tmp_path / 'gone.pth')
    model = MODELS.build(cfg.model)
    path = tmp_path / 'student.pth'
    torch.save({'meta': {}, 'state_dict': model.state_dict()}, path)
    cfg.load_from = str(path)
    assert 'mIoU' in Runner.from_cfg(cfg).test()
    assert init_model('sctnet-t-streets', path, 'cpu', backend='torch').siam is None


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        ({'checkpoint': None}, CheckpointError, 'name its file with --teacher FILE'),
        ({'checkpoint': 'gone.pth'}, CheckpointError, "'gone.pth' does not exist"),
        ({'teacher': 'segformer-b9-ade'}, ConfigError, 'there is no config'),
        ({'teacher': 'segformer-b2-ade'}, CheckpointError, 'does not fit this model'),
    ],
)
def test_teacher_that_is_not_there_or_does_not_fit(cfg, change, error, message):
    cfg.custom_hooks[0].update(change)
    with pytest.raises(error, match=message):
        Runner.from_cfg(cfg).train()


def test_teacher_with_other_classes_than_the_data(cfg, tmp_path):
    model = copy.deepcopy(load_config('segformer-t-streets').model)
    model.decode_head.num_classes = 7
    path = tmp_path / 'seven.pth'
    torch.save(MODELS.build(model).state_dict(), path)
    cfg.custom_hooks[0].checkpoint = str(path)
    with pytest.raises(CheckpointError, match='has 7 classes and the model 19'):
        Runner.from_cfg(cfg).train()
    cfg.custom_hooks[0].teacher = model
    cfg.experiment_name += '_again'
    with pytest.raises(ConfigError, match='7 classes and the data set 19'):
        Runner.from_cfg(cfg).train()


def test_labels_outside_the_classes_stop_before_the_first_iteration(cfg, tmp_path):
    root = tmp_path / 'streets'
    shutil.copytree(cfg.train_dataloader.dataset.data_root, root)
    path = next((root / 'gtFine' / 'val').rglob('*TrainIds.png'))
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    labels[:9] = 33
    cv2.imwrite(str(path), labels)
    for name in ('train_dataloader', 'val_dataloader'):
        cfg[name].dataset.data_root = str(root)
    cfg.custom_hooks[0].sanity_images = 2
    runner = Runner.from_cfg(cfg)
    with pytest.raises(DataError, match=rf'{path.name}.* has labels \[33\] outside'):
        runner.train()
    assert runner.iter == 0


def test_other_normalisation_than_the_teachers_is_an_error(cfg):
    cfg.model.data_preprocessor.bgr_to_rgb = False
    with pytest.raises(ConfigError, match=r'differently \(channel_conversion is False'):
        Runner.from_cfg(cfg).train()
    cfg.model.data_preprocessor.bgr_to_rgb = True
    cfg.model.data_preprocessor.update(mean=None, std=None)
    cfg.experiment_name += '_again'
    with pytest.raises(ConfigError, match=r'mean is \[0.0, 0.0, 0.0\] and \[123'):
        Runner.from_cfg(cfg).train()


def test_what_is_no_student_of_ours_cannot_be_taught(teacher_file):
    other = MODELS.build(load_config('segformer-t-streets').model)
    with pytest.raises(ConfigError, match='a EncoderDecoder cannot be taught'):
        DistillationHook('segformer-t-streets', teacher_file).attach(other)


def test_infinite_loss_stops_the_run_before_a_checkpoint_of_it(cfg):
    cfg.model.siam.loss_weights.bfa_stage3 = float('inf')
    match = r'at iteration 1: siam.loss_bfa_stage3 is inf, on \S+leftImg8bit.png, '
    with pytest.raises(TrainingError, match=match):
        Runner.from_cfg(cfg).train()
    assert not list(Path(cfg.work_dir).glob('*.pth'))


def test_a_config_dict_or_its_path_name_the_same_teacher(teacher_file, tmp_path):
    path = tmp_path / 'mine.py'
    load_config('segformer-t-streets').dump(path)
    model = load_config('segformer-t-streets').model
    for teacher in (path, str(path), model, dict(model), {'model': model}):
        built = DistillationHook(teacher, teacher_file).build_teacher()
        assert built.num_classes == 19
    assert 'auxiliary_head' not in model  # nothing of it was changed
    with pytest.raises(ConfigError, match='has no model'):
        DistillationHook({'modle': model}, teacher_file).build_teacher()
