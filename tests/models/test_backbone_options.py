"""The options of the backbone that users of mmseg expect."""

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper, build_optim_wrapper
from torch import nn

from sctnet.engine.distributed import CPUSyncBatchNorm
from sctnet.errors import ConfigError, ImageError
from sctnet.models import SCTNet, SCTNetFeatures
from sctnet.models.backbone import STAGES

FROZEN = {  # which parts each number freezes
    -1: (),
    0: ('stem',),
    1: ('stem', 'stage1'),
    2: ('stem', 'stage1', 'stage2'),
    3: ('stem', 'stage1', 'stage2', 'stage3', 'cfblock3'),
    4: tuple(name for names in STAGES[:5] for name in names),
    5: tuple(name for names in STAGES for name in names),
}


def parts_of(model):
    return dict(model.named_children())


def test_the_stages_are_all_of_the_backbone():
    assert set(FROZEN[5]) == set(parts_of(SCTNet(8, 8)))


@pytest.mark.parametrize('stages', FROZEN)
def test_what_is_frozen_stays_as_it_is_and_the_rest_is_trained(stages):
    model = SCTNet(8, 8, frozen_stages=stages, drop_path_rate=0.0)
    before = copy.deepcopy(model.state_dict())
    wrapper = build_optim_wrapper(
        model, {'optimizer': {'type': 'AdamW', 'lr': 0.1, 'weight_decay': 0.5}}
    )
    for mode in (True, False, True):
        model.train(mode)
    for _ in range(2 if stages < 5 else 0):
        total = sum(x.square().mean() for x in model(torch.randn(2, 3, 64, 64)))
        wrapper.update_params(total)
    for name, part in parts_of(model).items():
        frozen = name in FROZEN[stages]
        training = {module.training for module in part.modules()}
        assert training == {not frozen}, name
        assert all(p.requires_grad is not frozen for p in part.parameters())
        if frozen or stages < 5:
            kept = [
                torch.equal(value, before[key])
                for key, value in model.state_dict().items()
                if key.startswith(f'{name}.') and 'num_batches' not in key
            ]
            assert all(kept) if frozen else not all(kept), name
    assert isinstance(wrapper, OptimWrapper)


def test_norm_eval_keeps_statistics_and_trains_weights():
    model = SCTNet(8, 8, norm_eval=True)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [norm.running_mean.clone() for norm in norms]
    for mode in (True, False, True):
        model.train(mode)
    assert model.cfblock3.drop_path.training
    model(torch.randn(2, 3, 64, 64)).fused.square().mean().backward()
    for norm, mean in zip(norms, before, strict=True):
        assert not norm.training
        assert torch.equal(norm.running_mean, mean)
    assert norms[0].weight.grad.any()


class Held:
    """Bytes of all tensors that autograd keeps while it is entered."""

    def __enter__(self):
        self.profile = torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
        ).__enter__()
        return self

    def __exit__(self, *error):
        self.profile.__exit__(*error)
        events = self.profile.key_averages()
        self.bytes = sum(event.self_cpu_memory_usage for event in events)


def run(model, image, autocast):
    """One step forward and back: what it returned, drew, kept and left behind."""
    torch.manual_seed(5)
    model.zero_grad()
    with torch.autocast('cpu', torch.bfloat16, enabled=autocast), Held() as held:
        features = model(image)
    total = sum(feature.float().square().mean() for feature in features)
    total.backward()
    left = [*(p.grad for p in model.parameters()), *model.buffers(), torch.rand(3)]
    return held.bytes, [total.detach(), *left]


@pytest.mark.parametrize('autocast', [False, True])
@pytest.mark.parametrize('norm', ['BN', 'SyncBN'])
def test_checkpointing_changes_memory_and_nothing_else(norm, autocast):
    plain = SCTNet(8, 8, drop_path_rate=0.5).train()
    saving = copy.deepcopy(plain)
    saving.with_cp = True
    if norm == 'SyncBN':
        for module in (*plain.modules(), *saving.modules()):
            if type(module) is nn.BatchNorm2d:
                module.__class__ = CPUSyncBatchNorm
    image = torch.randn(2, 3, 96, 64)
    results = []
    for model in (plain, saving):
        results.append(run(model, image, autocast))
        results[-1] += (run(model, image, autocast)[1],)
    (whole, *expected), (less, *found) = results
    assert less < 0.6 * whole
    for ours, theirs in zip(found, expected, strict=True):
        assert all(map(torch.equal, ours, theirs))
    counted = [m for m in saving.modules() if hasattr(m, 'num_batches_tracked')]
    assert {int(m.num_batches_tracked) for m in counted} == {2}
    assert {m.momentum for m in counted} == {0.1}


@pytest.mark.parametrize(
    ('indices', 'parts'),
    [((0,), 3), ((1,), 5), ((0, 2), 8), ((0, 1, 2), 8), ((3,), 9), ((0, 1, 2, 3), 9)],
)
def test_features_are_selected_and_others_not_computed(indices, parts):
    model = SCTNet(8, 8).eval()
    image = torch.randn(1, 3, 64, 64)
    whole = model(image)
    model.out_indices = indices
    ran = []
    for name, part in parts_of(model).items():
        part.register_forward_hook(lambda *_, name=name: ran.append(name))
    some = model(image)
    assert isinstance(some, SCTNetFeatures) is (len(indices) == 4)
    assert len(some) == len(indices)
    assert all(torch.equal(x, whole[i]) for x, i in zip(some, indices, strict=True))
    assert len(ran) == parts


def test_bands_are_those_of_the_image():
    model = SCTNet(8, 8, in_channels=5)
    assert model.stem[0].in_channels == 5
    assert model(torch.zeros(2, 5, 64, 64)).detail.shape == (2, 16, 8, 8)
    with pytest.raises(ImageError, match=r'3 bands and the network takes 5'):
        model(torch.zeros(2, 3, 64, 64))


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'frozen_stages': 6}, 'frozen_stages is 6.* up to 5'),
        ({'frozen_stages': True}, 'frozen_stages is True'),
        ({'in_channels': 0}, 'in_channels is 0'),
        ({'out_indices': ()}, r'out_indices is \(\)'),
        ({'out_indices': (0, 4)}, 'ascending'),
        ({'out_indices': (3, 0)}, 'ascending'),
    ],
)
def test_what_cannot_be_is_said(options, said):
    with pytest.raises(ConfigError, match=said):
        SCTNet(8, 8, **options)


def test_a_feature_that_is_not_returned_is_said(tiny_model):
    from mmseg.registry import MODELS

    from sctnet.catalog import load_config, merge_options

    tiny_model(out_indices=(0, 1, 2, 3))
    with pytest.raises(ConfigError, match=r'decode_head\.in_index is 3.*returns 2'):
        tiny_model(out_indices=(0, 3))
    cfg = load_config('sctnet-t-streets')
    merge_options(
        cfg,
        {
            'model.backbone.out_indices': (0, 1, 3), 'model.decode_head.in_index': 2,
            'model.siam.bfa.stage4.student_index': 2,
        },
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r'siam\.sdha\.student_index is 3'):
        MODELS.build(cfg.model)


def test_compiling_and_checkpointing_are_refused_together():
    from mmseg.registry import MODELS

    from sctnet.catalog import load_config

    cfg = load_config('sctnet-t-streets')
    cfg.model.backbone.with_cp = True
    cfg.model.train_cfg = {'compile': True}
    with pytest.raises(ConfigError, match='do not go together'):
        MODELS.build(cfg.model)
