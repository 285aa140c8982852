"""Other students and other teachers, by config alone."""

import copy

import pytest
import torch
from mmengine.config import ConfigDict
from small_training import (
    TEACHER,
    TERMS,
    save_teacher,
    siam_losses,
    small_config,
    train,
)

from sctnet.apis import dataset_meta_from_config
from sctnet.catalog import load_config
from sctnet.errors import ConfigError

pytestmark = pytest.mark.slow

RESNET = 'resnet18_1xb4_600_streets_128x256'
NORM = {'type': 'BN'}


def heads(decode, auxiliary, stage3, stage4):
    """Options for the (index, channels) that each part reads of the backbone."""
    parts = {
        'decode_head': ('in_index', 'in_channels', decode),
        'auxiliary_head': ('in_index', 'in_channels', auxiliary),
        'siam.bfa.stage3': ('student_index', 'student_channels', stage3),
        'siam.bfa.stage4': ('student_index', 'student_channels', stage4),
        'siam.sdha': ('student_index', 'student_channels', decode),
    }
    return {
        f'model.{part}.{key}': value
        for part, (*keys, values) in parts.items()
        for key, value in zip(keys, values, strict=True)
    }


STDC = {
    'type': 'STDCNet',
    'stdc_type': 'STDCNet1',
    'in_channels': 3,
    'channels': (32, 64, 256, 512, 1024),
    'bottleneck_type': 'cat',
    'num_convs': 4,
    'norm_cfg': NORM,
    'act_cfg': {'type': 'ReLU'},
    'with_final_conv': True,
}
MOBILENET = {
    'type': 'mmpretrain.MobileNetV3',
    'arch': 'small',
    'out_indices': (3, 8, 12),
    'norm_cfg': NORM,
}
STUDENTS = {
    'ResNetV1c': (None, {}),
    'STDCNet': (STDC, heads((0, 256), (1, 512), (1, 512), (2, 1024))),
    'MobileNetV3': (MOBILENET, heads((0, 24), (1, 48), (1, 48), (2, 576))),
}
# As a user may write it: without a test_cfg.
CNN = {
    'type': 'EncoderDecoder',
    'backbone': {'type': 'ResNetV1c', 'depth': 18, 'norm_cfg': NORM},
    'decode_head': {
        'type': 'FCNHead',
        'in_index': 3,
        'in_channels': 512,
        'channels': 32,
        'num_classes': 19,
        'norm_cfg': NORM,
    },
}
FOR_CNN = {
    'model.siam.bfa.stage3.teacher_channels': 256,
    'model.siam.bfa.stage4.teacher_channels': 512,
    'model.siam.sdha.merged_channels': 512,
}


def student_config(student, streets, tmp_path, teacher):
    """A small distillation of ``student``."""
    backbone, options = STUDENTS[student]
    if backbone and backbone['type'].startswith('mmpretrain.'):
        pytest.importorskip('torchvision')  # mmpretrain imports it, undeclared
        import mmpretrain.models  # noqa: F401
    leaf = {} if backbone else {'leaf': RESNET}
    cfg = small_config(streets, tmp_path, teacher, **leaf)
    if backbone:
        cfg.model.backbone = ConfigDict(copy.deepcopy(backbone))
        cfg.merge_from_dict(options)
    return cfg


@pytest.mark.parametrize(
    ('student', 'alone'),
    [*((student, False) for student in STUDENTS), ('STDCNet', True)],
)
def test_student_learns_in_all_its_backbone(
    student, alone, streets, teacher_file, tmp_path
):
    """Also from the teacher alone, without the loss of any label."""
    cfg = student_config(student, streets, tmp_path, teacher_file)
    if alone:
        cfg.model.auxiliary_head = None
        cfg.model.decode_head.loss_decode.loss_weight = 0.0
    record = train(cfg)
    backbone = record.runner.model.backbone
    assert type(backbone).__name__ == student
    for losses in siam_losses(record):
        assert sorted(losses) == TERMS
        assert all(value > 0 for value in losses.values())
    names = {f'backbone.{k}' for k, p in backbone.named_parameters() if p.requires_grad}
    assert len(names) > 30
    # Not the first: ResNet's residual branches start multiplied by zero.
    last = record.gradients[-1]
    assert not {name for name in names if name not in last or not last[name].any()}
    before, after = record.weights[0], record.weights[-1]
    assert not {name for name in names if torch.equal(before[name], after[name])}


def cnn_teacher(tmp_path, **head):
    """Model dict and file of a ResNet-18 with the decode head ``head``."""
    cfg = load_config(TEACHER)
    model = {**copy.deepcopy(CNN), 'data_preprocessor': cfg.model.data_preprocessor}
    model['decode_head'].update(head)
    path = tmp_path / 'cnn.pth'
    save_teacher(path, model, dataset_meta_from_config(cfg)['classes'])
    return model, path


def taught_by(model, path, streets, tmp_path, options=None):
    cfg = small_config(streets, tmp_path / 'work', path, {**FOR_CNN, **(options or {})})
    cfg.custom_hooks[0].teacher = model
    return cfg


@pytest.mark.parametrize(
    'head',
    [{}, {'num_convs': 1, 'concat_input': False}, {'num_convs': 0, 'channels': 512}],
    ids=['concatenating', 'plain', 'classifier alone'],
)
def test_cnn_teacher_aligns_stages_and_shares_its_head(head, streets, tmp_path):
    if head.get('num_convs') == 0:
        head = {**head, 'concat_input': False}
    cfg = taught_by(*cnn_teacher(tmp_path, **head), streets, tmp_path)
    held = []

    def watch(runner):
        runner.model.backbone.register_forward_hook(
            lambda *_: held.append(runner.model.teacher)
        )

    record = train(cfg, watch)
    for losses in siam_losses(record):
        assert sorted(losses) == TERMS
        assert all(value > 0 for value in losses.values())
    teacher = held[0]
    image = torch.randn(1, 3, 64, 96)
    features = teacher(image)
    assert [x.shape[1] for x in features.stages] == [64, 128, 256, 512]
    logits = teacher.segmentor(image, mode='tensor')
    torch.testing.assert_close(features.decoded.logits, logits)


@pytest.mark.parametrize(
    'head',
    [{'type': 'PSPHead', 'pool_scales': (1, 2)}, {'type': 'NLHead'}],
    ids=['PSPHead', 'NLHead'],
)
def test_teacher_whose_head_cannot_be_shared_aligns_stages_alone(
    head, streets, tmp_path
):
    """An NLHead is an FCNHead too, with attention between its convolutions."""
    model, path = cnn_teacher(tmp_path, **head)
    advice = f"teacher's {head['type']} cannot be shared .* model.siam.sdha=None"
    with pytest.raises(ConfigError, match=advice):
        train(taught_by(model, path, streets, tmp_path))
    without = {'model.siam.sdha': None}
    record = train(taught_by(model, path, streets, tmp_path, without))
    for losses in siam_losses(record):
        assert sorted(losses) == TERMS[:2]
        assert all(value > 0 for value in losses.values())
