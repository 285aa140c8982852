import os

import pytest
import torch
from mmseg.registry import MODELS
from support import original_state

from sctnet.apis import init_model
from sctnet.catalog import load_config
from sctnet.errors import CheckpointError
from sctnet.weights import segmentor_files
from sctnet.weights.segmentor_files import best_checkpoint, load_segmentor

TEACHER = 'segformer-t-streets'


def build(name=TEACHER):
    return MODELS.build(load_config(name).model)


@pytest.fixture(scope='module')
def weights():
    """Random weights of a SegFormer, under mmseg's names."""
    torch.manual_seed(1)
    return build().state_dict()


def file_of(form, weights, path):
    """Write the teacher in one of the forms that users have."""
    released = {
        key.replace('backbone.', 'teacher_backbone.', 1).replace(
            'decode_head.', 'teacher_head.', 1
        ): value
        for key, value in weights.items()
    }
    student = original_state('ade_s', 'backbone.', 'decode_head.', 'auxiliary_head.0.')
    content = {
        'zoo_0.x': {
            'meta': {'CLASSES': ('a', 'b'), 'mmcv_version': '1.6.0'},
            'state_dict': {k: v for k, v in weights.items() if 'num_batches' not in k},
        },
        'zoo_1.x': {
            'meta': {'dataset_meta': {'classes': ('a', 'b')}},
            'state_dict': weights,
            'message_hub': {},
        },
        'released': released,
        'in_its_student': {
            'state_dict': {
                **student, **{f'auxiliary_head.1.{k}': v for k, v in released.items()}
            },
            'meta': {},
        },
        'with_auxiliary': {
            'state_dict': {**weights, 'auxiliary_head.conv_seg.bias': torch.zeros(1)}
        },
    }[form]  # fmt: skip
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    ('form', 'classes'),
    [
        ('zoo_0.x', ('a', 'b')),
        ('zoo_1.x', ('a', 'b')),
        ('released', None),
        ('in_its_student', None),
        ('with_auxiliary', None),
    ],
)
def test_every_form_loads_unconverted_and_whole(form, classes, weights, tmp_path):
    segmentor = build()
    meta = load_segmentor(segmentor, file_of(form, weights, tmp_path / 't.pth'))
    assert (meta or {}).get('classes') == classes
    for key, value in segmentor.state_dict().items():
        if 'num_batches_tracked' not in key:
            assert torch.equal(value, weights[key]), key


@pytest.mark.parametrize('kind', ['SCTSegmentor', 'EncoderDecoder'])
def test_of_a_released_student_an_sctnet_takes_the_student(kind, released_ade_s):
    cfg = load_config('sctnet-s-ade').model
    model = {k: cfg[k] for k in ('data_preprocessor', 'backbone', 'decode_head')}
    segmentor = MODELS.build({'type': kind, **model})
    assert len(load_segmentor(segmentor, released_ade_s)['classes']) == 150
    expected = original_state('ade_s', 'decode_head.bn1.weight')
    ours = segmentor.decode_head.norm1.weight
    assert torch.equal(ours, expected['decode_head.bn1.weight'])


def write(folder, name, time, best=None):
    """A checkpoint that was written at ``time`` and knows its training's best."""
    hub = {} if best is None else {'message_hub': {'runtime_info': best}}
    torch.save({'state_dict': {}, **hub}, folder / name)
    os.utime(folder / name, (time, time))


def recorded(name):
    return {'best_ckpt': f'/elsewhere/{name}', 'iter': 3}


def test_a_folder_gives_the_best_checkpoint_of_its_last_training(tmp_path):
    with pytest.raises(CheckpointError, match=r'holds no best_\*\.pth, iter_'):
        best_checkpoint(tmp_path)
    write(tmp_path, 'epoch_1.pth', 5)
    assert best_checkpoint(tmp_path).name == 'epoch_1.pth'
    # mmengine writes the checkpoint again after its best, to record that one.
    write(tmp_path, 'best_mIoU_iter_10.pth', 10)
    write(tmp_path, 'iter_30.pth', 30, recorded('best_mIoU_iter_10.pth'))
    assert best_checkpoint(tmp_path).name == 'best_mIoU_iter_10.pth'
    # Another training in the same folder, before its first validation and after it.
    write(tmp_path, 'iter_5.pth', 45, {'iter': 5})
    assert best_checkpoint(tmp_path).name == 'iter_5.pth'
    write(tmp_path, 'best_mIoU_iter_6.pth', 46)
    assert best_checkpoint(tmp_path).name == 'best_mIoU_iter_6.pth'
    write(tmp_path, 'iter_7.pth', 47, recorded('best_mIoU_iter_6.pth'))
    write(tmp_path, 'best_mIoU_iter_10.pth', 46.5)  # copied there
    assert best_checkpoint(tmp_path).name == 'best_mIoU_iter_6.pth'
    # One that cannot say leaves the newest best.
    (tmp_path / 'iter_9.pth').write_bytes(b'broken')
    assert best_checkpoint(tmp_path).name == 'best_mIoU_iter_10.pth'


def test_which_file_of_a_folder_was_taken_is_said(weights, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(segmentor_files, 'print_log', lambda text, _: said.append(text))
    path = file_of('zoo_1.x', weights, tmp_path / 'best_mIoU_iter_3.pth')
    assert load_segmentor(build(), tmp_path)['classes'] == ('a', 'b')
    assert said == [f"of '{tmp_path}' the checkpoint '{path}' is taken"]
    load_segmentor(build(), path)
    assert len(said) == 1


def test_missing_and_foreign_weights_are_counted_and_nothing_is_loaded(
    weights, tmp_path
):
    segmentor = build()
    before = segmentor.decode_head.conv_seg.weight.detach().clone()
    del (partial := dict(weights))['backbone.layers.0.0.norm.bias']
    path = file_of('zoo_1.x', partial, tmp_path / 't.pth')
    with pytest.raises(CheckpointError, match=r'it lacks 1 of backbone\.layers') as e:
        load_segmentor(segmentor, path)
    assert str(e.value).startswith(f"cannot load '{path}': ")
    extra = {**weights, 'neck.z': torch.zeros(1)}
    path = file_of('zoo_1.x', extra, tmp_path / 't.pth')
    with pytest.raises(CheckpointError, match=r'the model has not, 1 of neck\.z'):
        load_segmentor(segmentor, path)
    assert torch.equal(segmentor.decode_head.conv_seg.weight, before)


def test_other_classes_and_an_sctnet_are_recognised(weights, tmp_path):
    other = {
        key: value[:7] if 'conv_seg' in key else value for key, value in weights.items()
    }
    path = file_of('released', other, tmp_path / 't.pth')
    with pytest.raises(CheckpointError, match='has 7 classes and the model 19'):
        load_segmentor(build(), path)
    student = original_state('ade_s', 'backbone.', 'decode_head.')
    torch.save({'state_dict': student}, tmp_path / 's.pth')
    with pytest.raises(CheckpointError, match='it holds an SCTNet; name another file'):
        load_segmentor(build(), tmp_path / 's.pth')


def test_init_model_opens_a_released_teacher(weights, tmp_path):
    path = file_of('released', weights, tmp_path / 't.pth')
    model = init_model(TEACHER, path, 'cpu')
    key = 'decode_head.conv_seg.weight'
    assert torch.equal(model.state_dict()[key], weights[key])
    assert model.dataset_meta['classes'][0] == 'road'
