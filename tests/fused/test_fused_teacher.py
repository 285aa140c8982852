import copy

import pytest
import torch
from mmengine.model import revert_sync_batchnorm
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from sctnet.catalog import load_config
from sctnet.fused.shared_decoder import PointwiseDecoder, can_fuse_decoder
from sctnet.models import Teacher


@pytest.fixture(scope='module')
def taught():
    """A small student in training mode and its teacher with statistics, float64."""
    torch.manual_seed(0)
    cfg = copy.deepcopy(load_config('sctnet_t_1xb4_600_streets_128x256'))
    cfg.model.backbone.drop_path_rate = 0.0
    student = revert_sync_batchnorm(MODELS.build(cfg.model)).double().train()
    teacher = Teacher(MODELS.build(load_config('segformer-t-streets').model))
    for module in teacher.modules():
        if getattr(module, 'running_var', None) is not None:
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    student.attach_teacher(teacher.double())
    return student


def batch(height, width):
    samples = []
    for _ in range(2):
        labels = torch.randint(0, 19, (1, height, width))
        samples.append(SegDataSample(gt_sem_seg=PixelData(data=labels)))
    return torch.randn(2, 3, height, width, dtype=torch.float64), samples


@pytest.mark.parametrize('size', [(128, 96), (125, 187)])
def test_losses_and_gradients_equal_the_reference(taught, size):
    images, samples = batch(*size)
    results = []
    for fused in (True, False):
        taught.train_cfg = {'fused': fused}
        taught.zero_grad()
        losses = taught.loss(images, samples)
        sum(v for k, v in losses.items() if 'loss' in k).backward()
        grads = {k: p.grad.clone() for k, p in taught.named_parameters()}
        results.append((losses, grads))
    (ours, our_grads), (theirs, their_grads) = results
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        # mmseg counts correct pixels in float32
        rtol = 1e-6 if 'acc' in name else 1e-9
        torch.testing.assert_close(
            ours[name].double(), value.double(), rtol=rtol, atol=0
        )
    for name, grad in their_grads.items():
        torch.testing.assert_close(our_grads[name], grad, rtol=1e-8, atol=1e-9)


def test_the_short_cut_is_the_default_and_has_no_merged_map(taught):
    taught.train_cfg = None
    assert taught.fused
    teacher = taught.teacher
    images, _ = batch(64, 96)
    fast, slow = teacher(images), teacher(images, fused=False)
    assert isinstance(fast.merged, PointwiseDecoder)
    std, mean = torch.std_mean(slow.merged, dim=(0, 2, 3))
    torch.testing.assert_close(fast.merged.std, std, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(fast.merged.mean, mean, rtol=1e-9, atol=1e-12)
    for ours, theirs in zip(
        (*fast.stages, *fast.decoded), (*slow.stages, *slow.decoded), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_other_decoders_are_left_alone(taught):
    head = copy.deepcopy(taught.teacher.segmentor.decode_head)
    assert can_fuse_decoder(head)
    head.align_corners = True
    assert not can_fuse_decoder(head)
    assert not can_fuse_decoder(torch.nn.Conv2d(1, 1, 1))
