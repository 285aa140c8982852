"""The batch's preprocessor is mmseg's, bit for bit, from fewer tensors."""

import copy

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.structures import SegDataSample

from sctnet.datasets.collate import stack_samples
from sctnet.models import BatchDataPreProcessor

VALUES = {'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375]}
SIZE = {'size': (24, 32)}


def image(size, dtype=torch.uint8, bands=3):
    kind = np.dtype(str(dtype).removeprefix('torch.'))
    if kind.kind == 'f':
        return torch.randn(bands, *size, dtype=dtype)
    high = min(np.iinfo(kind).max, 60000)
    drawn = np.random.default_rng(0).integers(0, high, (bands, *size), dtype=kind)
    return torch.from_numpy(drawn)


def samples(*sizes, dtype=torch.uint8, bands=3, classes=19, edges=False):
    made = []
    for number, size in enumerate(sizes):
        sample = SegDataSample(
            metainfo={'img_path': f'{number}.png', 'ori_shape': size}
        )
        labels = torch.randint(0, classes, (1, *size))
        labels[:, :2] = 255
        sample.gt_sem_seg = PixelData(data=labels)
        if edges:
            sample.gt_edge_map = PixelData(data=labels.to(torch.uint8) // 2)
        made.append({'inputs': image(size, dtype, bands), 'data_samples': sample})
    return made


def assert_like_mmseg(options, made, training=True, double=False):
    """Return our batch, after comparing all of it with mmseg's of the same samples."""
    pair = []
    for kind, collate in (
        (SegDataPreProcessor, pseudo_collate),
        (BatchDataPreProcessor, stack_samples),
    ):
        preprocessor = kind(**options)
        if double:
            preprocessor.double()
        pair.append(preprocessor(collate(copy.deepcopy(made)), training))
    theirs, ours = pair
    assert ours['inputs'].dtype == theirs['inputs'].dtype
    assert torch.equal(ours['inputs'], theirs['inputs'])
    for a, b in zip(ours['data_samples'], theirs['data_samples'], strict=True):
        assert a.metainfo == b.metainfo
        assert set(a.keys()) == set(b.keys())
        for name, one in b.items():
            assert a.get(name).data.dtype == one.data.dtype
            assert torch.equal(a.get(name).data, one.data), name
    return ours


@pytest.mark.parametrize('double', [False, True])
@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize(
    'options',
    [
        {**VALUES, **SIZE, 'bgr_to_rgb': True},
        {**VALUES, **SIZE},
        {**SIZE, 'rgb_to_bgr': True},
        SIZE,
        {**VALUES, 'size_divisor': 8, 'bgr_to_rgb': True},
        {**VALUES, 'size_divisor': 1},
        {**VALUES, **SIZE, 'test_cfg': {'size_divisor': 16}},
    ],
)
@pytest.mark.parametrize('size', [(24, 32), (20, 30)])
def test_a_batch_is_mmsegs_bit_for_bit(options, size, training, double):
    assert_like_mmseg(options, samples(size, size, edges=True), training, double)


@pytest.mark.parametrize(
    'dtype', [torch.uint16, torch.int32, torch.float32, torch.float64, torch.int16]
)
def test_other_types_of_pixels(dtype):
    made = samples((24, 32), (24, 32), dtype=dtype)
    if dtype == torch.uint16:  # which mmseg cannot reorder
        wide = [{**one, 'inputs': one['inputs'].int()} for one in made]
        options = {**VALUES, **SIZE, 'bgr_to_rgb': True}
        ours = BatchDataPreProcessor(**options)(stack_samples(made), True)
        theirs = SegDataPreProcessor(**options)(pseudo_collate(wide), True)
        assert torch.equal(ours['inputs'], theirs['inputs'])
    else:
        assert_like_mmseg({**VALUES, **SIZE, 'bgr_to_rgb': True}, made)


def test_four_bands_keep_their_order():
    options = {'mean': [1.0, 2, 3, 4], 'std': [5.0, 6, 7, 8], 'bgr_to_rgb': True}
    assert_like_mmseg({**options, **SIZE}, samples((24, 32), (24, 32), bands=4))


@pytest.mark.parametrize(
    'limits', [{'size': (40, 40)}, {'size': (24, 34)}, {'size_divisor': 16}]
)
@pytest.mark.parametrize('values', [VALUES, {}])
@pytest.mark.parametrize('dtype', [torch.uint8, torch.float32])
def test_images_of_several_sizes_are_padded(limits, values, dtype):
    options = {**values, **limits, 'bgr_to_rgb': True, 'pad_val': 7, 'seg_pad_val': 200}
    sizes = [(24, 30), (20, 34), (12, 16), (24, 34)]
    made = samples(*sizes, dtype=dtype, edges=True)
    batch = stack_samples(made)
    assert batch['inputs'].shape == (4, 3, 24, 34)
    assert batch['sizes'] == sizes
    for sample, theirs in zip(batch['data_samples'], made, strict=True):
        labels = theirs['data_samples'].gt_sem_seg.data
        assert torch.equal(sample.gt_sem_seg.data.long(), labels)
    assert_like_mmseg(options, made)
    before = copy.deepcopy(batch)
    BatchDataPreProcessor(**options)(batch, True)
    for name in batch['maps']:
        assert torch.equal(batch['maps'][name], before['maps'][name])
    assert torch.equal(batch['inputs'], before['inputs'])


def test_images_that_come_out_in_several_sizes_are_told_as_mmseg_tells_them():
    batch = stack_samples(samples((24, 32), (48, 32)))
    with pytest.raises(RuntimeError, match='stack expects each tensor to be equal'):
        BatchDataPreProcessor(**SIZE)(batch, True)
    with pytest.raises(AssertionError, match='The image size in a batch'):
        BatchDataPreProcessor(**SIZE)(batch, False)


def test_labels_of_another_size_than_their_image_are_padded_as_mmseg_does():
    made = samples((24, 30), (20, 30))
    for one in made:
        one['data_samples'].gt_sem_seg = PixelData(data=torch.ones(1, 9, 8).long())
    assert_like_mmseg(SIZE, made)


def test_labels_of_another_size_than_the_image_are_kept_in_validation():
    made = samples((24, 32), (24, 32))
    made[1]['data_samples'].gt_sem_seg = PixelData(data=torch.ones(1, 48, 64).long())
    assert_like_mmseg({**VALUES, **SIZE}, made, training=False)


def test_samples_without_labels_are_only_images():
    made = samples((24, 32))
    del made[0]['data_samples'].gt_sem_seg
    assert_like_mmseg({**VALUES, **SIZE}, made, training=False)
    assert_like_mmseg({**VALUES, **SIZE}, made)


def test_batch_augments_see_what_mmsegs_would():
    def mix(inputs, samples):
        return inputs.flip(0) + len(samples), samples

    assert_like_mmseg({**VALUES, **SIZE, 'batch_augments': mix}, samples((24, 32)))


def test_wrong_options_are_told_as_mmseg_tells_them():
    for options in ({}, {**SIZE, 'size_divisor': 2}):
        with pytest.raises(AssertionError, match='only one of size and size_divisor'):
            BatchDataPreProcessor(**options)(stack_samples(samples((24, 32))), True)


def test_small_labels_of_lists_are_widened_too():
    made = samples((24, 32), (24, 32))
    for sample in made:
        labels = sample['data_samples'].gt_sem_seg
        labels.data = labels.data.to(torch.uint8)
        sample['more'] = 1  # a user's packer: no stacks
    batch = stack_samples(made)
    assert 'sizes' not in batch
    ours = BatchDataPreProcessor(**VALUES, **SIZE)(batch, True)
    assert {s.gt_sem_seg.data.dtype for s in ours['data_samples']} == {torch.int64}


def test_what_mmseg_collated_is_taken_too():
    options = {**VALUES, **SIZE, 'bgr_to_rgb': True}
    made = samples((24, 32), (24, 32))
    ours = BatchDataPreProcessor(**options)(pseudo_collate(made), True)
    theirs = SegDataPreProcessor(**options)(pseudo_collate(made), True)
    assert torch.equal(ours['inputs'], theirs['inputs'])


def test_a_batch_is_one_tensor_a_kind_and_its_samples_are_views():
    batch = stack_samples(samples((24, 32), (24, 32), edges=True))
    assert batch['inputs'].shape == (2, 3, 24, 32)
    assert batch['inputs'].dtype == torch.uint8
    assert {k: v.shape for k, v in batch['maps'].items()} == {
        'gt_sem_seg': (2, 1, 24, 32),
        'gt_edge_map': (2, 1, 24, 32),
    }
    for number, sample in enumerate(batch['data_samples']):
        assert sample.img_path == f'{number}.png'
        for name, stacked in batch['maps'].items():
            assert sample.get(name).data.data_ptr() == stacked[number].data_ptr()


def test_the_batch_is_not_changed():
    batch = stack_samples(samples((24, 32), (24, 32), dtype=torch.float32))
    before = copy.deepcopy(batch)
    options = {**VALUES, 'size': (30, 32), 'bgr_to_rgb': True}
    BatchDataPreProcessor(**options)(batch, True)
    assert set(batch) == set(before)
    assert torch.equal(batch['inputs'], before['inputs'])
    for a, b in zip(batch['data_samples'], before['data_samples'], strict=True):
        assert a.metainfo == b.metainfo
        assert torch.equal(a.gt_sem_seg.data, b.gt_sem_seg.data)


@pytest.mark.parametrize('dtype', [torch.int8, torch.int16, torch.int64])
def test_labels_keep_their_type_on_the_way(dtype):
    made = samples((24, 32), (24, 32))
    for sample in made:
        labels = sample['data_samples'].gt_sem_seg
        labels.data = labels.data.to(dtype)
        labels.data[0, 0, 0] = -100
    batch = stack_samples(made)
    assert batch['maps']['gt_sem_seg'].dtype == dtype
    ours = BatchDataPreProcessor(**VALUES, **SIZE, seg_pad_val=-100)(batch, True)
    for mine, sample in zip(ours['data_samples'], made, strict=True):
        labels = sample['data_samples'].gt_sem_seg.data
        assert torch.equal(mine.gt_sem_seg.data[:, :24, :32], labels.long())


@pytest.mark.parametrize(
    'made',
    [
        [{'inputs': [image((4, 4))], 'data_samples': [SegDataSample()]}],  # augmented
        [{'img': image((4, 4))}],
        [(image((4, 4)), 3)],
        [{'inputs': image((4, 4)), 'data_samples': {'labels': 3}}],
    ],
)
def test_anything_else_is_collated_as_mmengine_does(made):
    assert repr(stack_samples(made)) == repr(pseudo_collate(made))
