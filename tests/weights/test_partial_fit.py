"""What a training keeps of a file that fits it in part, and how that is said."""

import copy

import pytest
import torch
from mmseg.registry import MODELS
from support import original_state

from sctnet.catalog import load_config
from sctnet.errors import CheckpointError
from sctnet.weights.partial_fit import explain_classes, fit_in_part

LAST = {
    f'{head}.conv_seg.{part}'
    for head in ('decode_head', 'auxiliary_head')
    for part in ('weight', 'bias')
}


def student(**changes):
    """SCTNet-T with heads and SIAM; dotted ``changes`` of its model."""
    cfg = copy.deepcopy(load_config('sctnet-t-streets'))
    cfg.merge_from_dict({f'model.{key}': value for key, value in changes.items()})
    return MODELS.build(cfg.model)


def check_kept(fit, model, weights, afresh):
    """All but ``afresh`` is the file's, and that is the model's own."""
    own = model.state_dict()
    assert fit.weights.keys() == own.keys()
    for name, value in fit.weights.items():
        assert torch.equal(value, own[name] if name in afresh else weights[name]), name


def test_for_other_classes_all_but_the_last_layers_is_kept():
    heads = {f'{head}.num_classes': 7 for head in ('decode_head', 'auxiliary_head')}
    model, weights = student(), student(**heads).state_dict()
    fit = fit_in_part(model, weights, '7 classes in the file, 19 here')
    check_kept(fit, model, weights, LAST)
    assert fit.report == (
        'loaded 236 of 240 weights; start afresh: decode_head.conv_seg, '
        'auxiliary_head.conv_seg (7 classes in the file, 19 here)'
    )


@pytest.mark.parametrize(
    ('old', 'new', 'said'),
    [
        ('ab', 'ab', ''),
        ('ab', 'ba', 'the same classes in another order'),
        ('ab', 'ac', "other classes, as 'b' in the file and 'c' here"),
        ('abc', 'ab', '3 classes in the file, 2 here'),
        ('', 'ab', 'the file does not name its classes'),
        ('ab', None, 'the data set does not name its classes'),
    ],
)
def test_the_last_layers_are_kept_for_the_same_classes_in_their_order(old, new, said):
    why = explain_classes(tuple(old), new and list(new))
    assert why == said
    model, weights = student(), student().state_dict()
    fit = fit_in_part(model, weights, why)
    check_kept(fit, model, weights, LAST if said else ())
    if said:
        assert f'auxiliary_head.conv_seg ({said})' in fit.report
    else:
        assert fit.report == 'loaded all 240 weights, the last layers too'


def test_projections_go_on_only_for_as_many_channels_of_the_teacher():
    model = student()
    weights = student(**{'siam.bfa.stage4.teacher_channels': 96}).state_dict()
    fit = fit_in_part(model, weights)
    stage4 = [
        name for name in weights if name.startswith('siam.bfa.projections.stage4')
    ]
    assert stage4
    check_kept(fit, model, weights, stage4)
    assert fit.report.endswith(
        'start afresh: siam.bfa.projections.stage4 (of another shape in the file)'
    )


def test_whole_parts_are_named_as_such_and_what_a_file_has_besides_is_counted():
    weights = student(auxiliary_head=None).state_dict()
    fit = fit_in_part(student(siam=None), weights)
    assert fit.report == (
        'loaded 222 of 234 weights, the last layers too; start afresh: auxiliary_head '
        '(not in the file); not used: 6 of the file (siam.bfa, siam.sdha)'
    )


def wrapped(weights):
    return {f'net.{key}': value for key, value in weights.items()} | {
        'x': torch.ones(1)
    }


def backbone_alone(weights):
    start = 'backbone.'
    return {k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}


@pytest.mark.parametrize('form', [dict, wrapped, backbone_alone])
def test_weights_are_found_under_other_names(form):
    """The original's names, below a prefix, and those of a backbone without one."""
    cfg = load_config('sctnet-s-ade').model
    model = MODELS.build({**copy.deepcopy(cfg), 'siam': None})
    original = original_state('ade_s', 'backbone.', 'decode_head.')
    fit = fit_in_part(model, form(original))
    for old, new in (
        ('backbone.layer5.attn_l.kv3', 'backbone.cfblock4_2.attention.horizontal'),
        ('decode_head.bn1.weight', 'decode_head.norm1.weight'),
    ):
        if form is not backbone_alone or 'backbone' in old:
            assert torch.equal(fit.weights[new], original[old])
    assert 'not used' not in fit.report
    if form is backbone_alone:
        assert 'afresh: decode_head, auxiliary_head (not in the file)' in fit.report


def test_a_file_of_which_too_little_of_the_backbone_fits_is_refused():
    weights = student(**{'backbone.base_channels': 32}).state_dict()
    with pytest.raises(
        CheckpointError, match=r'SCTNet-S .* take the config of the same'
    ):
        fit_in_part(student(), weights)
    with pytest.raises(CheckpointError, match='none of its 1 weights belongs to'):
        fit_in_part(student(), {'fc.weight': torch.zeros(2)})
    weights = student().state_dict()
    backbone = [k for k in weights if k.startswith('backbone.')]
    few = {k: weights[k] for k in backbone[: len(backbone) // 3]}
    with pytest.raises(
        CheckpointError, match=r'only \d+ of the \d+ weights of the back'
    ):
        fit_in_part(student(), few)


def test_other_bands_are_said_and_are_no_misfit():
    cfg = load_config('segformer-t-streets').model
    weights = MODELS.build(copy.deepcopy(cfg)).state_dict()
    cfg.backbone.in_channels = 4
    name = 'backbone.layers.0.0.projection.weight'
    fit = fit_in_part(MODELS.build(cfg), weights)
    assert torch.equal(fit.weights[name][:, :3], weights[name])
    assert torch.equal(fit.weights[name][:, 3], weights[name].mean(1))
    assert 'projection has 4 bands: the first 3 are those of the file' in fit.report
    assert 'afresh' not in fit.report
