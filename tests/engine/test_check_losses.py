"""A loss that does not fit the classes is told before the first iteration."""

import json

import pytest
from mmengine.config import Config
from small_training import LEAF, small_config

from sctnet.catalog import load_config, merge_options
from sctnet.engine.check_losses import check_losses
from sctnet.engine.check_names import check_names
from sctnet.engine.runner import Runner
from sctnet.errors import ConfigError

CE = {'type': 'CrossEntropyLoss'}
PIXEL = {'type': 'PixelCrossEntropyLoss'}
OHEM = {'type': 'OHEMPixelSampler', 'thresh': 0.7, 'min_kept': 50}
LOVASZ = {'type': 'LovaszLoss', 'reduction': 'none'}


def head_of(model, options):
    """Replace the decode head of a tiny model by one with other options."""
    from mmseg.registry import MODELS

    options = {'num_classes': 3, 'norm_cfg': {'type': 'BN'}, **options}
    model.decode_head = MODELS.build(
        {
            'type': 'SCTHead', 'in_channels': 32, 'channels': 32, 'in_index': 3,
            **options,
        }
    )  # fmt: skip
    return model


def loss(*losses, **more):
    return {'loss_decode': losses[0] if len(losses) == 1 else list(losses), **more}


WEIGHT = [1.0, 2.0, 3.0]
REFUSED = {
    'too few': (
        loss({**PIXEL, 'class_weight': WEIGHT[:2]}),
        'model.decode_head.loss_decode.class_weight has 2 values and there are 3 '
        'classes',
    ),
    'too many': (
        loss({**PIXEL, 'class_weight': [*WEIGHT, 1.0]}),
        'class_weight has 4 values and there are 3 classes',
    ),
    'in a list': (
        loss(LOVASZ, {**CE, 'class_weight': WEIGHT[:2]}),
        'model.decode_head.loss_decode.1.class_weight has 2 values',
    ),
    'Tversky': (
        loss({'type': 'TverskyLoss', 'class_weight': [*WEIGHT, 1.0]}),
        'class_weight has 4 values',
    ),
    'no numbers': (loss({**PIXEL, 'class_weight': ['a', 'b', 'c']}), 'list of numbers'),
    'all zero': (loss({**PIXEL, 'class_weight': [0, 0, 0]}), 'list of numbers'),
    'negative': (loss({**PIXEL, 'class_weight': [1, -1, 1]}), 'list of numbers'),
    'sigmoid and weights': (
        loss({**CE, 'use_sigmoid': True, 'class_weight': WEIGHT}),
        'cannot weigh classes with use_sigmoid=True.*FocalLoss',
    ),
    'a loss without pixel weights': (
        loss({'type': 'OhemCrossEntropy'}),
        'model.decode_head: OhemCrossEntropy cannot be computed.*take another',
    ),
    'another number of weights in alpha': (
        loss({'type': 'FocalLoss', 'alpha': [0.1, 0.2]}),
        r'loss_decode\.alpha has 2 values and there are 3 classes',
    ),
    'an alpha above 1': (
        loss({'type': 'FocalLoss', 'alpha': 3.0}),
        r'loss_decode\.alpha is 3.0: set it to a number from 0 to 1',
    ),
    'a negative gamma': (
        loss({'type': 'FocalLoss', 'gamma': -1.0}),
        r'loss_decode\.gamma is -1.0: set it to a number from 0 up',
    ),
    'binary, of three': (
        loss({**LOVASZ, 'loss_type': 'binary'}), 'LovaszLoss cannot be computed'
    ),
    'OHEM and Dice': (
        loss(CE, {'type': 'DiceLoss'}, sampler=OHEM),
        r'loss_decode\.1: DiceLoss counts whole regions.*leave out one',
    ),
}  # fmt: skip
ONE_CHANNEL = {
    'softmax': (loss(PIXEL), 'softmax over one channel.*use_sigmoid=True'),
    'two weights': (
        loss({**CE, 'use_sigmoid': True, 'class_weight': [1.0, 2.0]}),
        'has 2 values and one channel takes one',
    ),
    'Dice': (loss({'type': 'DiceLoss'}), 'takes label 0.*LovaszLoss'),
    'Lovasz of several': (loss(LOVASZ), 'loss_type=binary'),
    'Tversky': (loss({'type': 'TverskyLoss'}), 'takes a softmax'),
}


@pytest.mark.parametrize('case', REFUSED)
def test_what_does_not_fit_is_refused(tiny_model, case):
    options, said = REFUSED[case]
    with pytest.raises(ConfigError, match=said) as raised:
        check_losses(head_of(tiny_model(auxiliary=False), options))
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('classes', [1, 2])
@pytest.mark.parametrize('case', ONE_CHANNEL)
def test_what_one_channel_cannot_learn_is_refused(tiny_model, case, classes):
    options, said = ONE_CHANNEL[case]
    options = {**options, 'num_classes': classes, 'out_channels': 1}
    with pytest.raises(ConfigError, match=said):
        check_losses(head_of(tiny_model(auxiliary=False), options))


def test_auxiliary_heads_are_looked_at_one_by_one(tiny_model):
    from torch import nn

    model, other = (tiny_model(num_classes=3) for _ in range(2))
    other.auxiliary_head.loss_decode.class_weight = [1.0, 2.0]
    heads = nn.ModuleList([model.auxiliary_head, other.auxiliary_head])
    model.auxiliary_head = other.auxiliary_head
    with pytest.raises(ConfigError, match=r'model\.auxiliary_head\.loss_decode\.class'):
        check_losses(model)
    model.auxiliary_head = heads
    with pytest.raises(ConfigError, match=r'model\.auxiliary_head\.1\.loss_decode'):
        check_losses(model)
    model.auxiliary_head = tiny_model(num_classes=2).auxiliary_head
    with pytest.raises(ConfigError, match=r'has 2 classes and model\.decode_head 3'):
        check_losses(model)


def test_that_ohem_passes_a_loss_by_is_said(tiny_model, caplog, monkeypatch):
    from sctnet.engine import check_losses as module

    said = []
    monkeypatch.setattr(module, 'print_log', lambda text, *_: said.append(text))
    options = loss(CE, LOVASZ, sampler=OHEM)
    check_losses(head_of(tiny_model(auxiliary=False), options))
    assert ['OHEMPixelSampler has no effect' in text for text in said] == [True]


def test_losses_that_cannot_be_built_are_told_with_their_place(tmp_path):
    cfg = load_config(LEAF)
    key = 'model.decode_head.loss_decode.class_weight'
    for value in (str(tmp_path / 'none.json'), 'balanced'):
        merge_options(cfg, {key: value})
        with pytest.raises(ConfigError, match=f"^{key} is '{value}', which is no file"):
            check_names(cfg)
    (tmp_path / 'weights.json').write_text('3, 4')
    merge_options(cfg, {key: str(tmp_path / 'weights.json')})
    with pytest.raises(
        ConfigError, match=r'^model\.decode_head\.loss_decode cannot be'
    ):
        check_names(cfg)
    heads = [{'type': 'FCNHead', 'loss_decode': [PIXEL, {'type': 'LovaszLoss'}]}]
    cfg = load_config(LEAF)
    cfg.model.auxiliary_head = Config({'heads': heads}).heads
    with pytest.raises(ConfigError, match=r'auxiliary_head\.0\.loss_decode\.1 cannot'):
        check_names(cfg)


def test_a_training_ends_before_its_first_iteration(streets, tmp_path):
    weights = tmp_path / 'weights.json'
    weights.write_text(json.dumps([1.0] * 18))
    options = {
        'model.siam': None,
        'model.auxiliary_head.loss_decode.class_weight': str(weights),
    }
    runner = Runner.from_cfg(small_config(streets, tmp_path / 'work', options=options))
    said = 'auxiliary_head.loss_decode.class_weight has 18 values and there are 19'
    with pytest.raises(ConfigError, match=said):
        runner.train()
    assert runner.iter == 0
