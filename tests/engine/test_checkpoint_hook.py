from collections import OrderedDict

import pytest
import torch
from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.runner.priority import get_priority

from sctnet.engine.checkpoint_hook import (
    AtomicCheckpointHook,
    check_resumable,
    newest_checkpoint,
)
from sctnet.errors import CheckpointError


def save(path, **weights):
    state = {'w': torch.ones(2), 'steps': torch.tensor(3), **weights}
    torch.save({'state_dict': state, 'message_hub': {}, 'optimizer': {}}, path)
    return path


def test_newest_is_found_by_its_number(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    for name in ('iter_9', 'iter_10', 'best_mIoU_iter_99', 'iter_x'):
        save(tmp_path / f'{name}.pth')
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_10.pth')


def test_epochs_and_what_mmengine_noted_are_found_too(tmp_path):
    elsewhere = save(tmp_path / 'mine_7.pth')
    work_dir = tmp_path / 'work'
    work_dir.mkdir()
    (work_dir / 'last_checkpoint').write_text(f'{elsewhere}\n')
    assert newest_checkpoint(work_dir) == str(elsewhere)
    save(work_dir / 'epoch_3.pth')
    assert newest_checkpoint(work_dir) == str(work_dir / 'epoch_3.pth')


def test_of_epochs_and_iterations_the_newest_is_found_by_its_iteration(tmp_path):
    for name, iteration in (('epoch_3', 300), ('iter_250', 250), ('iter_40', 40)):
        checkpoint = torch.load(save(tmp_path / f'{name}.pth'))
        torch.save(
            {**checkpoint, 'meta': {'iter': iteration}}, tmp_path / f'{name}.pth'
        )
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_3.pth')
    save(tmp_path / 'iter_301.pth')
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_301.pth')
    (tmp_path / 'epoch_4.pth').write_bytes(b'half')  # is reported and passed over
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_301.pth')


def test_weights_that_are_not_finite_are_passed_over(tmp_path):
    save(tmp_path / 'iter_4.pth')
    broken = save(tmp_path / 'iter_8.pth', b=torch.tensor([1.0, float('nan')]))
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_4.pth')
    with pytest.raises(CheckpointError, match=r"1 weights that are not finite.* 'b'"):
        check_resumable(broken)


def test_no_sound_checkpoint_at_all_is_an_error(tmp_path):
    (tmp_path / 'iter_4.pth').write_bytes(b'half')
    torch.save({'state_dict': {'w': torch.ones(1)}}, tmp_path / 'iter_5.pth')
    with pytest.raises(CheckpointError, match='2 checkpoints and none can be resumed'):
        newest_checkpoint(tmp_path)


class Elsewhere(torch.Tensor):
    """Stands in for a tensor on a GPU."""

    def cpu(self):
        return self.as_subclass(torch.Tensor)


def test_what_a_hook_adds_is_moved_to_the_cpu():
    """mmengine's EMAHook swaps tensors in after mmengine has moved the others."""
    there = torch.ones(2).as_subclass(Elsewhere)
    state = OrderedDict(w=there)
    state._metadata = {'': {'version': 1}}
    live = {'x': [there, (there, 3)]}
    checkpoint = {'state_dict': state, 'ema_state_dict': {'w': there}, 'mine': live}
    AtomicCheckpointHook(interval=1).before_save_checkpoint(None, checkpoint)
    moved = [
        checkpoint['state_dict']['w'],
        checkpoint['ema_state_dict']['w'],
        checkpoint['mine']['x'][0],
        checkpoint['mine']['x'][1][0],
    ]
    assert {type(value) for value in moved} == {torch.Tensor}
    assert type(checkpoint['state_dict']) is OrderedDict
    assert checkpoint['state_dict']._metadata == state._metadata
    assert live['x'][0] is there  # the hook's own stays where it is
    # mmengine asks the hooks in the order of their priorities.
    priorities = [get_priority(hook.priority) for hook in (EMAHook, CheckpointHook)]
    assert priorities == sorted(priorities)


def test_other_places_keep_mmengines_own_backends():
    assert AtomicCheckpointHook(interval=1).backend_args == {'backend': 'sctnet.atomic'}
    remote = AtomicCheckpointHook(interval=1, out_dir='s3://bucket/x')
    assert remote.backend_args is None
    chosen = AtomicCheckpointHook(interval=1, backend_args={'backend': 'local'})
    assert chosen.backend_args == {'backend': 'local'}


@pytest.mark.parametrize('odd', [{'w': [[]]}, {'w': torch.eye(2).to_sparse()}, 3, None])
def test_odd_weights_cannot_be_resumed_from_and_are_passed_over(odd, tmp_path):
    sound = save(tmp_path / 'iter_4.pth')
    torch.save(
        {'state_dict': odd, 'message_hub': {}, 'optimizer': {}}, tmp_path / 'iter_5.pth'
    )
    with pytest.raises(CheckpointError, match=r"cannot resume from '.*iter_5\.pth'"):
        check_resumable(tmp_path / 'iter_5.pth')
    assert newest_checkpoint(tmp_path) == str(sound)
