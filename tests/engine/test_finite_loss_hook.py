from types import SimpleNamespace

import pytest
import torch

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
