from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import MessageHub
from mmengine.runner import get_priority

from sctnet.engine import FiniteLossHook
from sctnet.errors import TrainingError

FILES = [SimpleNamespace(img_path='a.png'), SimpleNamespace(img_path='b.png')]


def look(outputs, last=None, batch=None):
    batch = {'data_samples': FILES} if batch is None else batch
    runner = SimpleNamespace(
        iter=41, message_hub=SimpleNamespace(get_info=lambda _: last)
    )
    FiniteLossHook().after_train_iter(runner, 41, batch, outputs)


def test_sound_losses_pass_and_accuracies_do_not_matter():
    look({'loss': torch.tensor(2.0), 'decode.acc_seg': torch.tensor(float('nan'))})
    look({})


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_error_names_iteration_terms_files_and_the_last_checkpoint(value):
    outputs = {
        'loss': torch.tensor(value),
        'decode.loss_ce': torch.tensor(1.0),
        'siam.loss_bfa_stage3': torch.tensor(value),
    }
    with pytest.raises(TrainingError) as caught:
        look(outputs, last='work/iter_40.pth')
    text = str(caught.value)
    assert f'at iteration 42: siam.loss_bfa_stage3 is {value}, on a.png, b.png' in text
    assert 'work/iter_40.pth' in text
    assert 'decode.loss_ce' not in text


def test_total_alone_is_named_too():
    with pytest.raises(TrainingError, match='loss is nan'):
        look({'loss': float('nan')})


def test_files_are_found_in_batches_without_samples_too():
    with pytest.raises(TrainingError, match=r'on x\.jpg, y\.jpg \('):
        look({'loss': float('nan')}, batch={'img_path': ['x.jpg', 'y.jpg']})
    with pytest.raises(TrainingError, match='on an unknown batch'):
        look({'loss': float('nan')}, batch={})


def test_it_is_the_first_hook_that_sees_the_losses():
    priorities = [get_priority(h.priority) for h in (FiniteLossHook, RuntimeInfoHook)]
    assert priorities[0] < priorities[1]


def test_scalars_come_to_the_cpu_in_one_copy_with_their_types_and_values(monkeypatch):
    outputs = {
        'loss': torch.tensor(0.1, requires_grad=True) * 3,
        'half.loss': torch.tensor(0.1, dtype=torch.float16),
        'bf16.loss': torch.tensor([0.1], dtype=torch.bfloat16),
        'double.loss': torch.tensor(0.1, dtype=torch.float64),
        'acc_seg': torch.tensor([float('nan')]),
        'count': torch.tensor(3),
        'several': torch.ones(2),
        'number': 0.5,
    }
    given, copies = dict(outputs), []
    cpu = torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, 'cpu', lambda x: copies.append(x) or cpu(x))
    look(outputs)
    assert len(copies) == 1
    assert list(outputs) == list(given)
    for name, value in given.items():
        if name in ('count', 'several', 'number'):
            assert outputs[name] is value
        else:
            assert outputs[name].dtype == value.dtype
            assert outputs[name].shape == value.shape
            assert not outputs[name].requires_grad
            assert torch.equal(outputs[name].isnan(), value.isnan())
            assert torch.equal(outputs[name].nan_to_num(), value.nan_to_num())


def test_the_log_has_the_same_values(monkeypatch):
    values = {'loss': torch.tensor(0.1), 'decode.acc_seg': torch.tensor(33.3)}
    logs = []
    for number, hooks in enumerate(([], [FiniteLossHook()])):
        hub = MessageHub.get_instance(f'finite_loss_{number}')
        runner = SimpleNamespace(iter=0, message_hub=hub)
        outputs = dict(values)
        for hook in [*hooks, RuntimeInfoHook()]:
            hook.after_train_iter(runner, 0, {}, outputs)
        logs.append({k: v.data[0].tolist() for k, v in hub.log_scalars.items()})
    assert logs[0] == logs[1]
    assert len(logs[0]) == 2
