"""Several processes on a CPU compute what one computes of their joint batch."""

import copy
from itertools import islice

import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.model import MMDistributedDataParallel
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import distributed, multiprocessing, nn
from torch.testing import assert_close
from torch.utils.data import DataLoader, Dataset

from sctnet.catalog import load_config
from sctnet.engine import CPUSyncBatchNorm, numbered_sampler
from sctnet.engine.distributed import use_cpu_sync_norm
from sctnet.engine.numbered_sampler import NumberedSampler
from sctnet.engine.seeded_dataset import SeededDataset
from sctnet.models import Teacher, teacher_features

pytestmark = pytest.mark.slow

CONFIG = 'sctnet_t_1xb4_600_streets_128x256'
WORLD_SIZE = 2
SHARES = 1, 4  # of a norm's batch, of the first process and the second
ALIGNMENTS = 'bfa', 'bfa and sdha'


def small_model(config, norm):
    """A segmentor of a config in float64; the same weights whatever the norm."""
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = copy.deepcopy(load_config(config).model)
    for part in ('backbone', 'decode_head', 'auxiliary_head'):
        if 'norm_cfg' in model.get(part, ()):
            model[part].norm_cfg = {'type': norm}
    return model


def pupil(alignment, norm):
    """SCTNet-T with SegFormer-T attached, ready to train in float64."""
    model = small_model(CONFIG, norm)
    model.backbone.drop_path_rate = 0.0
    if 'sdha' not in alignment:
        model.siam.sdha = None
    segmentor = MODELS.build(model)
    teacher = MODELS.build(small_model('segformer-t-streets', norm))
    segmentor.attach_teacher(Teacher(teacher).double())
    return segmentor.double().train()


def scenes():
    """A batch of noise and labels, of which some are to be ignored."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(4, 3, 64, 64, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 20, (4, 1, 64, 64), generator=generator)
    labels[labels == 19] = 255
    return images, [SegDataSample(gt_sem_seg=PixelData(data=y)) for y in labels]


def train(segmentor, images, samples):
    """Two passes; return the summed gradients and the buffers."""
    for _ in range(2):
        losses = segmentor(images, samples, mode='loss')
        sum(value for name, value in losses.items() if 'loss' in name).backward()
    segmentor = getattr(segmentor, 'module', segmentor)
    gradients = {name: p.grad for name, p in segmentor.named_parameters()}
    return gradients, dict(segmentor.named_buffers())


def normalise(kind, share=None, momentum=0.1):
    """Two passes of a norm; return outputs and gradients, and the norm's state."""
    generator = torch.Generator().manual_seed(2)
    x, factor = torch.randn(2, 5, 3, 4, 6, generator=generator, dtype=torch.float64)
    norm = kind(3, momentum=momentum).double()
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2, generator=generator)
    x = 3 * x + torch.tensor([0.0, 10.0, 1000.0]).view(3, 1, 1)
    if share is not None:
        x, factor = x.split(SHARES)[share], factor.split(SHARES)[share]
    x = x.clone().requires_grad_()
    for _ in range(2):
        y = norm(x)
        (y.pow(3) * factor).sum().backward()
    return (
        {'output': y.detach(), 'input gradient': x.grad},
        {'weight gradient': norm.weight.grad, 'bias gradient': norm.bias.grad},
        dict(norm.named_buffers()),
    )


def work(rank, folder):
    """What each process does; leaves its results in ``folder``."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        'gloo', f'file://{folder}/meeting', rank=rank, world_size=WORLD_SIZE
    )
    use_cpu_sync_norm()
    results = {m: normalise(CPUSyncBatchNorm, rank, m) for m in (0.1, None)}
    images, samples = scenes()
    half = slice(2 * rank, 2 * rank + 2)
    for alignment in ALIGNMENTS:
        segmentor = pupil(alignment, 'SyncBN')
        assert not any(type(m) is nn.BatchNorm2d for m in segmentor.modules())
        wrapped = MMDistributedDataParallel(
            segmentor, find_unused_parameters=False, broadcast_buffers=False
        )
        results[alignment] = train(wrapped, images[half], samples[half])
    torch.save(results, folder / f'{rank}.pt')
    distributed.barrier()
    distributed.destroy_process_group()


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    """What each of two processes computed."""
    folder = tmp_path_factory.mktemp('processes')
    multiprocessing.spawn(work, (folder,), WORLD_SIZE)
    return [torch.load(folder / f'{rank}.pt') for rank in range(WORLD_SIZE)]


@pytest.mark.parametrize('momentum', [0.1, None])
def test_sync_norm_is_a_batch_norm_of_the_joint_batch(momentum, results):
    per_sample, per_weight, state = normalise(nn.BatchNorm2d, momentum=momentum)
    ours = [result[momentum] for result in results]
    tolerance = {'rtol': 1e-9, 'atol': 1e-9}
    for name, expected in per_sample.items():
        assert_close(torch.cat([part[0][name] for part in ours]), expected, **tolerance)
    for name, expected in per_weight.items():
        assert_close(sum(part[1][name] for part in ours), expected, **tolerance)
    for part in ours:
        assert_close(part[2], state, rtol=1e-12, atol=0)


@pytest.mark.parametrize('alignment', ALIGNMENTS)
def test_gradients_and_statistics_are_those_of_the_joint_batch(
    alignment, results, monkeypatch
):
    """SDHA's statistics, as in the original, are those of each process alone."""
    align = teacher_features.scale_align

    def align_apart(*features):
        halves = zip(*(x.chunk(WORLD_SIZE) for x in features), strict=True)
        return torch.cat([align(*half) for half in halves])

    monkeypatch.setattr(teacher_features, 'scale_align', align_apart)
    joint = pupil(alignment, 'BN')
    joint.train_cfg = {'shortcuts': False}  # the short cut has no such step
    gradients, statistics = train(joint, *scenes())
    for result in results:
        ours, our_statistics = result[alignment]
        assert ours.keys() == gradients.keys()
        for name, expected in gradients.items():
            # Biases before a norm have no gradient but rounding.
            assert_close(ours[name], expected, rtol=1e-9, atol=1e-11, msg=name)
        assert_close(our_statistics, statistics, rtol=1e-9, atol=1e-12)


class Noise(Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return torch.rand(3) + index


@pytest.fixture
def sampler_of(monkeypatch):
    """Builder of the sampler that one of several processes has."""

    def build(kind, rank, world_size, start=0):
        monkeypatch.setattr(numbered_sampler, 'get_rank', lambda: rank)
        monkeypatch.setattr(numbered_sampler, 'get_world_size', lambda: world_size)
        place = 'mmengine.dataset.sampler.get_dist_info'
        monkeypatch.setattr(place, lambda: (rank, world_size))
        return NumberedSampler({'type': kind}, Noise(), seed=0, start=start)

    return build


@pytest.mark.parametrize('kind', [InfiniteSampler, DefaultSampler])
def test_processes_share_out_the_numbered_samples_of_one(kind, sampler_of):
    def samples(rank, world_size):
        start, count = 8 // world_size, 40 // world_size
        sampler = sampler_of(kind, rank, world_size, start)
        assert sampler.endless
        return [(index, index.number) for index in islice(sampler, count)]

    one, first, second = samples(0, 1), samples(0, 2), samples(1, 2)
    assert [number for _, number in one] == list(range(8, 48))
    assert one[::2] == first
    assert one[1::2] == second
    assert [i for i, _ in one[2:12]] != [i for i, _ in one[12:22]]  # shuffled anew


def test_processes_share_out_the_numbered_samples_of_an_epoch(sampler_of):
    def samples(rank, world_size, epoch=1, start=0):
        sampler = sampler_of(DefaultSampler, rank, world_size)
        sampler.begin_epoch(epoch, start // world_size)
        assert not sampler.endless
        return [(index, index.number) for index in sampler]

    one, first, second = samples(0, 1), samples(0, 2), samples(1, 2)
    assert [number for _, number in one] == list(range(10, 20))
    assert sorted(index for index, _ in one) == list(range(10))
    assert one[::2] == first
    assert one[1::2] == second
    assert samples(0, 1, start=4) == one[4:]
    assert samples(1, 2, start=4) == second[2:]
    assert [i for i, _ in samples(0, 1, epoch=2)] != [i for i, _ in one]


@pytest.mark.parametrize('workers', [1, 2])
def test_augmentation_is_the_same_in_any_number_of_workers(workers):
    def batches(num_workers):
        data = SeededDataset(Noise(), seed=1)
        sampler = NumberedSampler({'type': InfiniteSampler}, data, seed=1, start=0)
        loader = DataLoader(data, 2, sampler=sampler, num_workers=num_workers)
        return torch.cat(list(islice(loader, 6)))

    expected = batches(0)
    assert torch.equal(batches(workers), expected)
    assert len(expected.frac().unique()) == expected.numel()
