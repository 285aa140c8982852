import pytest
import torch
from mmseg.registry import MODELS
from support import original_state

from sctnet.apis import init_model
from sctnet.catalog import load_config
from sctnet.errors import CheckpointError
from sctnet.weights.segmentor_files import load_segmentor, teacher_weights

INSIDE = 'auxiliary_head.1.'


def build(name='segformer-b2-ade'):
    return MODELS.build(load_config(name).model)


@pytest.fixture(scope='module')
def weights():
    """The seeded SegFormer-B2 of the original, under mmseg's names."""
    return teacher_weights(original_state('ade_s', f'{INSIDE}teacher_'))


def file_of(form, weights, path):
    """Write the teacher in one of the forms that users have."""
    original = {
        key.replace('backbone.', 'teacher_backbone.', 1).replace(
            'decode_head.', 'teacher_head.', 1
        ): value
        for key, value in weights.items()
    }
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
        'released': original,
        'in_its_student': {'state_dict': original_state('ade_s'), 'meta': {}},
        'with_auxiliary': {
            'state_dict': {**weights, 'auxiliary_head.conv_seg.bias': torch.zeros(1)}
        },
    }[form]
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


def test_folder_of_a_training_gives_its_best_else_its_newest(weights, tmp_path):
    folder = tmp_path / 'work'
    folder.mkdir()
    with pytest.raises(CheckpointError, match=r'holds no best_\*'):
        load_segmentor(build(), folder)
    (folder / 'iter_9.pth').write_bytes(b'broken')
    with pytest.raises(CheckpointError, match='iter_9'):
        load_segmentor(build(), folder)
    file_of('zoo_1.x', weights, folder / 'best_mIoU_iter_3.pth')
    assert load_segmentor(build(), folder)['classes'] == ('a', 'b')


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


def test_other_number_of_classes_says_both(weights, tmp_path):
    path = file_of('released', weights, tmp_path / 't.pth')
    with pytest.raises(CheckpointError, match='has 150 classes and its config 19'):
        load_segmentor(build('segformer-b2-cityscapes'), path)


def test_sctnet_in_the_teachers_place_is_recognised(released_city_s, tmp_path):
    state = torch.load(released_city_s, weights_only=True)['state_dict']
    student = {k: v for k, v in state.items() if 'auxiliary' not in k}
    torch.save({'state_dict': student}, tmp_path / 's.pth')
    with pytest.raises(CheckpointError, match='it holds an SCTNet'):
        load_segmentor(build(), tmp_path / 's.pth')


def test_init_model_opens_a_released_teacher(weights, tmp_path):
    path = file_of('released', weights, tmp_path / 't.pth')
    model = init_model('segformer-b2-ade', path, 'cpu')
    key = 'decode_head.conv_seg.weight'
    assert torch.equal(model.state_dict()[key], weights[key])
    assert model.dataset_meta['classes'][0] == 'wall'
