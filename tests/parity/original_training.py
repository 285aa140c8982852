"""A training step of ours beside the original's figures, in float64."""

import copy

import torch
from support import (
    SHORT_NAMES,
    fill,
    original_state,
)

from sctnet.catalog import load_config
from sctnet.engine import DistillationHook

TERMS = {
    'logits': ('siam.loss_sdha_logits', 3),
    'decoder_feature': ('siam.loss_sdha_feature', 15),
    'stage4': ('siam.loss_bfa_stage4', 15),
    'stage3': ('siam.loss_bfa_stage3', 15),
}


STUDENT = ('backbone.', 'decode_head.', 'auxiliary_head.0.')


PROJECTIONS = tuple(
    f'auxiliary_head.1.{name}.'
    for name in ('feature_transforms', 'convstage3', 'convstage4')
)


def close(ours, expected, rtol=1e-9, atol=0.0, name=None):
    ours = torch.as_tensor(ours, dtype=torch.float64).detach()
    expected = torch.as_tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(
        ours, expected, rtol=rtol, atol=atol, msg=lambda text: f'{name}: {text}'
    )


def build(config, tmp_path, num_classes):
    """Student in training mode with the teacher attached, all in float64."""
    from mmengine.model import revert_sync_batchnorm
    from mmseg.registry import MODELS

    cfg = copy.deepcopy(load_config(SHORT_NAMES[config]))
    cfg.model.backbone.drop_path_rate = 0.0
    segmentor = revert_sync_batchnorm(MODELS.build(cfg.model))
    result = segmentor.load_state_dict(original_state(config))
    assert not result.missing_keys
    assert not result.unexpected_keys
    teacher = {
        name.removeprefix('auxiliary_head.1.'): weight
        for name, weight in original_state(config).items()
        if 'teacher_' in name
    }
    torch.save(teacher, tmp_path / 'Teacher.pth')  # the form that was released
    hook = DistillationHook(cfg.custom_hooks[0].teacher, tmp_path / 'Teacher.pth')
    assert hook.attach(segmentor).num_classes == num_classes
    segmentor.teacher.double()
    return segmentor.double().train(), cfg


def make_batch(image, labels):
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    size = [image[key] for key in ('seed', 'n', 'h', 'w')]
    inputs = torch.from_numpy(fill.image(*size)).double()
    maps = fill.labels(*(labels[key] for key in ('seed', 'n', 'h', 'w', 'num_classes')))
    samples = []
    for label_map in maps:
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(label_map)[None])
        samples.append(sample)
    return inputs, samples


def total_of(losses):
    return sum(value for name, value in losses.items() if 'loss' in name)


def check_losses(losses, golden, rtol=1e-9):
    expected = golden['losses']
    close(losses['decode.loss_ce'], expected['decode.loss_ce'], rtol)
    close(losses['aux.loss_ce'], expected['aux_0.loss_ce'], rtol)
    close(losses['decode.acc_seg'].squeeze(), expected['decode.acc_seg'], 1e-6)
    close(losses['aux.acc_seg'].squeeze(), expected['aux_0.acc_seg'], 1e-6)
    for term, (name, weight) in TERMS.items():
        unweighted = golden['guidance_terms_unweighted'][term]
        close(losses[name], weight * unweighted, rtol, name=name)
    guidance = sum(losses[name] for name, _ in TERMS.values())
    close(guidance, expected['aux_1.loss_guidance'], rtol)
    close(total_of(losses), expected['loss'], rtol)
