from types import SimpleNamespace

import pytest
import torch
from support import original_keys, original_state

from sctnet.errors import CheckpointError, OutputError
from sctnet.weights.convert import convert_checkpoint, student_weights
from sctnet.weights.key_map import port_name
from sctnet.weights.safe_files import read_checkpoint


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_released_file_becomes_a_student_with_its_classes(
    released_ade_s, tmp_path, suffix
):
    before = released_ade_s.read_bytes()
    message = convert_checkpoint(released_ade_s, tmp_path / f's{suffix}')
    assert released_ade_s.read_bytes() == before
    written = read_checkpoint(tmp_path / f's{suffix}')
    expected = {
        port_name(name)
        for name, _ in original_keys('ade_s')
        if name.startswith(('backbone.', 'decode_head.'))
    }
    assert written['state_dict'].keys() == expected
    assert 'optimizer' not in written
    kept = written['meta']['dataset_meta']
    assert (len(kept['classes']), len(kept['palette'])) == (150, 150)
    assert message.startswith(f'wrote {len(expected)} of 610 tensors')


def test_converting_twice_changes_nothing(released_ade_s, tmp_path):
    convert_checkpoint(released_ade_s, tmp_path / 'once.pth')
    convert_checkpoint(tmp_path / 'once.pth', tmp_path / 'twice.pth')
    once, twice = (read_checkpoint(tmp_path / f'{n}.pth') for n in ('once', 'twice'))
    assert once['meta'] == twice['meta']
    assert all(
        torch.equal(v, twice['state_dict'][k]) for k, v in once['state_dict'].items()
    )


def test_backbone_file_stays_one(tmp_path):
    state = original_state('ade_s', 'backbone.')
    flat = {k.removeprefix('backbone.'): v for k, v in state.items()}
    torch.save(flat, tmp_path / 'pretrained.pth')
    convert_checkpoint(tmp_path / 'pretrained.pth', tmp_path / 'b.pth')
    written = read_checkpoint(tmp_path / 'b.pth')['state_dict']
    assert len(written) == len(flat)
    assert all(key.startswith('backbone.') for key in written)


def test_classifier_becomes_its_backbone_and_a_segmentor_keeps_nothing_odd(
    tiny_model, tmp_path
):
    segmentor = tiny_model(auxiliary=False).state_dict()
    backbone = {k: v for k, v in segmentor.items() if k.startswith('backbone.')}
    around = {'neck.norms.0.weight': torch.ones(3), 'head.fc.bias': torch.ones(3)}
    assert student_weights({**backbone, **around}).keys() == backbone.keys()
    with pytest.raises(CheckpointError, match=r'the model has not, .*neck\.norms'):
        student_weights({**segmentor, **around})


def test_backbone_only(released_ade_s, tmp_path):
    convert_checkpoint(released_ade_s, tmp_path / 'b.pth', backbone_only=True)
    written = read_checkpoint(tmp_path / 'b.pth')
    assert not any(key.startswith('decode_head.') for key in written['state_dict'])
    assert written['meta'] == {}


def test_averaged_weights_of_an_ema_run_are_taken(tiny_model, tmp_path):
    """mmengine's EMAHook swaps the two state dicts when it saves."""
    from mmengine.hooks import EMAHook

    model = tiny_model()
    hook, runner = EMAHook(momentum=0.5), SimpleNamespace(model=model)
    hook.before_run(runner)
    with torch.no_grad():
        model.backbone.stem[0].weight.add_(1)
    hook.ema_model.update_parameters(model)
    with torch.no_grad():
        model.backbone.stem[0].weight.add_(1)
    checkpoint = {'state_dict': model.state_dict()}
    hook.before_save_checkpoint(runner, checkpoint)
    torch.save(checkpoint, tmp_path / 'own.pth')
    convert_checkpoint(tmp_path / 'own.pth', tmp_path / 's.pth')
    written = read_checkpoint(tmp_path / 's.pth')['state_dict']
    assert not any(key.startswith('auxiliary_head.') for key in written)
    averaged = hook.ema_model.module.backbone.stem[0].weight
    assert torch.equal(written['backbone.stem.0.weight'], averaged)
    assert not torch.equal(averaged, model.backbone.stem[0].weight)


@pytest.mark.parametrize(
    'lost', ['backbone.layer1.0.bn1.weight', 'decode_head.bn1.bias']
)
def test_incomplete_file_is_refused_and_nothing_written(tmp_path, lost):
    state = original_state('city_s', 'backbone.', 'decode_head.')
    del state[lost]
    torch.save({'state_dict': state}, tmp_path / 'part.pth')
    with pytest.raises(CheckpointError, match=r"cannot convert '.*part\.pth'.*lacks 1"):
        convert_checkpoint(tmp_path / 'part.pth', tmp_path / 's.pth')
    assert not (tmp_path / 's.pth').exists()


def test_unknown_keys_and_other_networks_are_refused():
    state = original_state('city_s', 'backbone.', 'decode_head.')
    with pytest.raises(CheckpointError, match=r'1 of neck\.z'):
        student_weights({**state, 'neck.z': torch.zeros(1)})
    with pytest.raises(CheckpointError, match='is no SCTNet'):
        student_weights({'fc.weight': torch.zeros(1)})


def test_a_file_is_not_converted_into_itself(released_ade_s, tmp_path):
    own = tmp_path / 'own.pth'
    own.write_bytes(released_ade_s.read_bytes())
    link = tmp_path / 'link.pth'
    link.symlink_to(own)
    for target in (own, link):
        with pytest.raises(OutputError, match='is the file to convert'):
            convert_checkpoint(own, target)
    assert own.read_bytes() == released_ade_s.read_bytes()
