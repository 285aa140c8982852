import pytest
import torch

from sctnet.errors import CheckpointError
from sctnet.weights.fit import check_weights


def fitting():
    return {
        'backbone.stem.0.weight': torch.zeros(32, 3, 3, 3),
        'backbone.stage1.0.conv1.weight': torch.zeros(32, 32, 3, 3),
        'backbone.cfblock3.ffn.norm.bias': torch.zeros(128),
        'decode_head.conv1.weight': torch.zeros(128, 128, 3, 3),
        'decode_head.conv_seg.weight': torch.zeros(19, 128, 1, 1),
        'decode_head.conv_seg.bias': torch.zeros(19),
        'decode_head.norm1.num_batches_tracked': torch.tensor(0),
    }


def explain(weights):
    with pytest.raises(CheckpointError) as caught:
        check_weights(fitting(), weights)
    message = str(caught.value)
    assert '\n' not in message
    assert len(message) < 360
    return message


def test_fitting_weights_pass_also_without_batch_counters():
    weights = fitting()
    check_weights(fitting(), weights)
    del weights['decode_head.norm1.num_batches_tracked']
    check_weights(fitting(), weights)


def test_another_class_count():
    weights = fitting()
    weights['decode_head.conv_seg.weight'] = torch.zeros(150, 128, 1, 1)
    weights['decode_head.conv_seg.bias'] = torch.zeros(150)
    message = explain(weights)
    assert 'has 150 classes and the model 19' in message
    assert 'to fine-tune on 19 classes' in message
    del weights['decode_head.conv1.weight']  # another network, whatever its classes
    assert 'it lacks 1 of decode_head.conv1' in explain(weights)


def test_b_into_s():
    weights = {key: torch.zeros(64, 3, 3, 3) for key in fitting()}
    message = explain(weights)
    assert 'SCTNet-B (64 base channels)' in message
    assert 'SCTNet-S (32 base channels)' in message


def test_backbone_alone():
    weights = {k: v for k, v in fitting().items() if k.startswith('backbone')}
    message = explain(weights)
    assert 'without a decode_head' in message
    assert 'Pretrained' in message
    message = explain({'conv1.0.weight': torch.zeros(32, 3, 3, 3)})
    assert 'without a decode_head' in message


def test_foreign_weights_and_teachers():
    assert "found 'fc.weight'" in explain({'fc.weight': torch.zeros(1)})
    with pytest.raises(CheckpointError, match='belongs to the backbone'):
        check_weights(fitting(), {'decode_head.conv_seg.weight': torch.zeros(19, 9)})
    teacher = {'teacher_backbone.layers.0.0.norm.weight': torch.zeros(1)}
    assert 'a teacher' in explain(teacher)


def test_the_rest_is_counted_by_part():
    weights = fitting()
    del weights['backbone.stage1.0.conv1.weight']
    weights['neck.z'] = torch.zeros(1)
    weights['decode_head.conv1.weight'] = torch.zeros(1)
    message = explain(weights)
    assert 'it lacks 1 of backbone.stage1' in message
    assert '1 of neck.z' in message
    assert 'other shapes in 1 of decode_head.conv1' in message
