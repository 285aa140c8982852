import copy
import pickle

import pytest
import torch
from mmengine.model.averaged_model import ExponentialMovingAverage
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import load_state_dict
from mmseg.registry import MODELS
from support import original_state, student_state

from sctnet.apis import init_model
from sctnet.catalog import load_config
from sctnet.errors import CheckpointError
from sctnet.models import SCTNet, Teacher


@pytest.fixture(scope='module')
def model():
    return init_model('sctnet-s-ade', device='cpu', backend='torch')


@pytest.fixture(scope='module')
def training_model():
    return MODELS.build(load_config('sctnet-s-ade').model)


def test_torch_loads_the_originals_training_state(model):
    result = model.load_state_dict(original_state('ade_s'))
    assert not result.missing_keys
    assert not result.unexpected_keys


def test_auxiliary_head_is_loaded_where_there_is_one(training_model, released_ade_s):
    load_checkpoint(training_model, str(released_ade_s), strict=True)
    expected = original_state('ade_s', 'auxiliary_head.0.')
    assert torch.equal(
        training_model.auxiliary_head.conv1.weight,
        expected['auxiliary_head.0.conv1.weight'],
    )


def test_auxiliary_head_may_be_missing_and_keeps_its_weights(training_model):
    before = training_model.auxiliary_head.conv1.weight.detach().clone()
    load_state_dict(training_model, student_state('ade_s'), strict=True)
    assert torch.equal(training_model.auxiliary_head.conv1.weight, before)
    training_model.load_state_dict(student_state('ade_s'), strict=True)


def test_half_an_auxiliary_head_is_an_error(training_model):
    state = student_state('ade_s')
    state |= original_state('ade_s', 'auxiliary_head.0.bn1')
    with pytest.raises(CheckpointError, match=r'it lacks .* of auxiliary_head\.conv1'):
        training_model.load_state_dict(state)


def test_an_attached_teacher_is_no_part_of_its_student(tiny_model):
    student, teacher = tiny_model(), Teacher(tiny_model(auxiliary=False))
    names = [name for name, _ in student.named_modules()]
    keys = list(student.state_dict())
    student.attach_teacher(teacher)
    assert student.teacher is teacher
    assert [name for name, _ in student.named_modules()] == names
    assert list(student.state_dict()) == keys
    own = {id(parameter) for parameter in teacher.parameters()}
    assert own
    assert not own & {id(parameter) for parameter in student.parameters()}
    for copied in (copy.deepcopy(student), pickle.loads(pickle.dumps(student))):
        assert copied.teacher is None
        assert list(copied.state_dict()) == keys
    student.detach_teacher()
    assert student.teacher is None


@pytest.mark.parametrize('load', [load_state_dict, None])
def test_half_loaded_model_is_an_error_also_where_mmengine_would_warn(model, load):
    state = student_state('ade_s')
    del state['backbone.layer4.mlp_l.conv1.weight']
    with pytest.raises(CheckpointError, match=r'it lacks 1 of backbone\.cfblock4_1'):
        load(model, state, strict=False) if load else model.load_state_dict(state)


def test_torchs_own_strict_false_reports_instead(model):
    state = student_state('ade_s')
    del state['backbone.layer4.mlp_l.conv1.weight']
    lost = 'cfblock4_1.ffn.conv1.weight'
    result = model.load_state_dict(state, strict=False)
    assert result.missing_keys == [f'backbone.{lost}']
    with pytest.raises(CheckpointError):  # and the next load checks again
        load_state_dict(model, state)
    around = torch.nn.ModuleDict({'student': model})
    inside = {f'student.{key}': value for key, value in state.items()}
    result = around.load_state_dict(inside, strict=False)
    assert result.missing_keys == [f'student.backbone.{lost}']
    with pytest.raises(RuntimeError, match=lost):
        around.load_state_dict(inside)
    backbone = {k: v for k, v in state.items() if k.startswith('backbone.')}
    assert SCTNet(32, 64).load_state_dict(backbone, strict=False)[0] == [lost]
    with pytest.raises(CheckpointError, match='lacks 1'):
        SCTNet(32, 64).load_state_dict(backbone)


def test_a_list_of_auxiliary_heads_loads_its_own_weights_and_the_originals():
    def build(count):
        torch.manual_seed(count)
        cfg = copy.deepcopy(load_config('sctnet-s-ade').model)
        cfg.auxiliary_head = [copy.deepcopy(cfg.auxiliary_head) for _ in range(count)]
        return MODELS.build(cfg)

    source, target = build(2), build(2)
    for parameter in source.parameters():
        torch.nn.init.normal_(parameter)
    load_state_dict(target, source.state_dict())
    for key, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[key], value), key
    single, state = build(1), original_state('ade_s')
    assert not single.load_state_dict(state).missing_keys
    ours = single.state_dict()['auxiliary_head.0.norm1.weight']
    assert torch.equal(ours, state['auxiliary_head.0.bn1.weight'])


def test_a_plain_segmentor_of_mmsegs_takes_the_originals_names_too():
    cfg = copy.deepcopy(load_config('sctnet-s-ade').model)
    for name in ('siam', 'auxiliary_head'):
        cfg.pop(name)
    segmentor = MODELS.build({**cfg, 'type': 'EncoderDecoder'})
    state = student_state('ade_s')
    assert not segmentor.load_state_dict(state).missing_keys
    ours = segmentor.state_dict()['decode_head.norm2.bias']
    assert torch.equal(ours, state['decode_head.bn2.bias'])


def test_ema_copy_loads_the_originals_names_below_its_prefix(model):
    ema = ExponentialMovingAverage(model)
    state = {f'module.{k}': v for k, v in student_state('ade_s').items()}
    ema.load_state_dict({**state, 'steps': torch.tensor(1)})
    assert torch.equal(
        ema.module.backbone.stem[0].weight, state['module.backbone.conv1.0.weight']
    )


def test_init_weights_leaves_the_heads_at_pytorchs_default(tiny_model):
    segmentor = tiny_model()
    before = segmentor.decode_head.conv_seg.weight.detach().clone()
    segmentor.init_weights()
    assert torch.equal(segmentor.decode_head.conv_seg.weight, before)


@pytest.mark.parametrize('left_out', ['bfa', 'sdha'])
def test_ablation_loads_into_the_whole_config_and_back(left_out):
    """What mim test, EMA and load_from do with a checkpoint of an ablation."""
    whole = load_config('sctnet-t-streets').model
    part = copy.deepcopy(whole)
    part.siam[left_out] = None
    for source, target in ((part, whole), (whole, part)):
        source, target = (MODELS.build(copy.deepcopy(c)) for c in (source, target))
        load_state_dict(target, source.state_dict(), strict=False)
        key = 'decode_head.conv_seg.weight'
        assert torch.equal(target.state_dict()[key], source.state_dict()[key])
        (shared,) = {'bfa', 'sdha'} - {left_out}
        kept = [k for k in target.state_dict() if k.startswith(f'siam.{shared}.')]
        assert kept
        for key in kept:
            assert torch.equal(target.state_dict()[key], source.state_dict()[key])


def test_student_with_another_backbone_is_not_half_loaded_either():
    """Nor renamed: ResNet has layer1.0.bn1 too."""
    student = MODELS.build(load_config('resnet18-streets').model)
    state = student.state_dict()
    assert not student.load_state_dict(dict(state)).missing_keys
    load_state_dict(student, dict(state), strict=False)
    del state['backbone.layer2.0.conv1.weight']
    with pytest.raises(CheckpointError, match=r'it lacks 1 of backbone\.layer2'):
        load_state_dict(student, state, strict=False)
