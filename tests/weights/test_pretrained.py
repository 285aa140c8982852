"""Pre-trained files of ``init_cfg``: what fits is taken, too little is an error."""

import pytest
import torch
from mmengine.model import PretrainedInit
from mmengine.runner.checkpoint import load_checkpoint
from mmseg.registry import MODELS

from sctnet.catalog import load_config
from sctnet.errors import CheckpointError
from sctnet.weights import pretrained
from sctnet.weights.pretrained import checked_pretraining, load_pretrained


def segmentor(**init_cfg):
    model = load_config('segformer-t-streets').model
    if init_cfg:
        model.backbone.init_cfg = {'type': 'Pretrained', **init_cfg}
    return MODELS.build(model)


@pytest.fixture(scope='module')
def weights():
    torch.manual_seed(1)
    return segmentor().state_dict()


def backbone(weights):
    start = 'backbone.'
    return {k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}


def classifier(weights):
    heads = {'head.fc.weight': torch.zeros(9, 4), 'head.fc.bias': torch.zeros(9)}
    return {k: v for k, v in weights.items() if k.startswith('backbone.')} | heads


def released_student(weights):
    """As the original stores its teacher, beside a backbone of the student's."""
    released = {f'auxiliary_head.1.teacher_{k}': v for k, v in weights.items()}
    return {**released, 'backbone.conv1.0.weight': torch.zeros(1)}


def nvidia(weights):
    """As the authors of SegFormer publish a backbone, with its classifier."""
    names = {
        'attn.attn.out_proj': 'attn.proj',
        'ffn.layers.0': 'mlp.fc1',
        'ffn.layers.1': 'mlp.dwconv.dwconv',
        'ffn.layers.4': 'mlp.fc2',
        'projection': 'proj',
    }
    published = {'head.weight': torch.zeros(9, 4), 'head.bias': torch.zeros(9)}
    for name, value in backbone(weights).items():
        _, stage, part, *rest = name.split('.')
        stage = int(stage) + 1
        place = {'0': f'patch_embed{stage}', '1': f'block{stage}', '2': f'norm{stage}'}
        new = '.'.join([place[part], *rest])
        for old, other in names.items():
            new = new.replace(f'.{old}.', f'.{other}.')
        if value.dim() == 4 and '.mlp.fc' in new:
            value = value.flatten(1)
        if 'in_proj' in new:
            queries = len(value) // 3
            block, kind = new.split('attn.attn.in_proj_')
            published[f'{block}attn.q.{kind}'] = value[:queries]
            published[f'{block}attn.kv.{kind}'] = value[queries:]
        else:
            published[new] = value
    assert 'block1.0.attn.kv.weight' in published
    assert published['block4.0.mlp.fc2.weight'].dim() == 2
    return published


FORMS = [dict, backbone, classifier, released_student, nvidia]


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('content', ['state_dict', 'bare'])
def test_a_backbone_is_found_in_every_kind_of_file(
    form, content, weights, tmp_path, monkeypatch
):
    path = str(tmp_path / 'file.pth')
    state = form(weights)
    torch.save({'state_dict': state} if content == 'state_dict' else state, path)
    said = []
    monkeypatch.setattr(pretrained, 'print_log', lambda text, _: said.append(text))
    model = segmentor(checkpoint=path)
    with checked_pretraining(model):
        model.init_weights()
    expected = backbone(weights)
    for name, value in model.backbone.state_dict().items():
        assert torch.equal(value, expected[name]), name
    unused = '; not used: 2 of the file (head)' if form is nvidia else ''
    assert said == [
        f"backbone: loaded all {len(expected)} weights{unused} from '{path}'"
    ]


def test_what_starts_afresh_is_said_and_what_does_not_fit_is_an_error(
    weights, tmp_path
):
    path = tmp_path / 'file.pth'
    part = backbone(weights)
    last = [name for name in part if name.startswith('layers.3.')]
    torch.save({k: v for k, v in part.items() if k not in last}, path)
    said = load_pretrained(segmentor().backbone, str(path))
    number, total = len(part) - len(last), len(part)
    afresh = 'start afresh: layers.3 (not in the file)'
    assert said == f'loaded {number} of {total} weights; {afresh}'
    torch.save({k: v[..., :1] for k, v in part.items()}, path)
    with pytest.raises(CheckpointError, match=rf'only \d+ of the {total} weights'):
        load_pretrained(segmentor().backbone, str(path))
    torch.save({'blocks.0.attn.qkv.weight': torch.zeros(2)}, path)
    model = segmentor(checkpoint=str(path))
    before = model.backbone.layers[0][0].projection.weight.clone()
    with checked_pretraining(model), pytest.raises(CheckpointError) as raised:
        model.init_weights()
    assert str(raised.value).startswith(f"cannot load '{path}': ")
    assert "found 'blocks.0.attn.qkv.weight'" in str(raised.value)
    assert torch.equal(model.backbone.layers[0][0].projection.weight, before)


def test_a_prefix_is_taken_at_its_word(weights, tmp_path):
    path = str(tmp_path / 'file.pth')
    own = {f'backbone.{k}': torch.zeros_like(v) for k, v in backbone(weights).items()}
    torch.save({**own, **{f'ema.{k}': v for k, v in weights.items()}}, path)
    for prefix in ('ema.backbone', 'ema.backbone.'):
        model = segmentor(checkpoint=path, prefix=prefix)
        with checked_pretraining(model):
            model.init_weights()
        name = 'layers.0.0.projection.weight'
        assert torch.equal(model.backbone.state_dict()[name], backbone(weights)[name])
    with pytest.raises(CheckpointError, match="prefix 'bone': leave the prefix out"):
        load_pretrained(model.backbone, path, 'bone')
    load_pretrained(model.backbone, path)  # as it says


def test_an_sctnet_is_loaded_whole_or_not_at_all(tmp_path):
    model = MODELS.build(load_config('sctnet-t-streets').model)
    path = str(tmp_path / 'file.pth')
    state = model.state_dict()
    torch.save(state, path)
    assert 'loaded all' in load_pretrained(model.backbone, path)
    del state['backbone.stem.0.weight']
    torch.save(state, path)
    with pytest.raises(CheckpointError, match=r'it lacks 1 of stem\.0'):
        load_pretrained(model.backbone, path)


def test_elsewhere_mmengine_loads_as_it_did(weights, tmp_path):
    before = PretrainedInit.__call__
    with checked_pretraining(segmentor()):
        assert PretrainedInit.__call__ is not before
    assert PretrainedInit.__call__ is before
    torch.save(backbone(weights), tmp_path / 'file.pth')
    load_checkpoint(segmentor().backbone, str(tmp_path / 'file.pth'))
