from functools import partial

import cv2
import mmseg.apis
import numpy as np
import pytest
import torch
from support import SEG50, original_state, released_checkpoint

import sctnet.apis
from sctnet.apis import dataset_meta_from_config, inference_model
from sctnet.catalog import find_config, load_config
from sctnet.errors import ArgumentError, CheckpointError, ConfigError, ImageError
from sctnet.weights.convert import convert_checkpoint

init_model = partial(sctnet.apis.init_model, backend='torch')


def logits(model, seed=0):
    x = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return model.encode_decode(x, [{'img_shape': (64, 96)}])


@pytest.fixture(scope='module')
def model(released_city_s):
    return init_model(SEG50, released_city_s, device='cpu')


def test_released_file_gives_bit_equal_logits_in_both_init_models(
    released_ade_s, tmp_path
):
    """With optimizer and teacher, without them, through mmseg's, and converted."""
    ours = init_model('sctnet-s-ade', released_ade_s, device='cpu')
    expected = logits(ours)
    assert torch.equal(
        ours.backbone.dappm.compression.conv.weight,
        original_state('ade_s')['backbone.spp.compression.2.weight'],
    )
    assert not ours.with_auxiliary_head
    assert not ours.training
    plain = released_checkpoint('ade_s', tmp_path / 'plain.pth', with_training=False)
    for path in (plain, tmp_path / 'c.pth', tmp_path / 'c.safetensors'):
        if path is not plain:
            convert_checkpoint(released_ade_s, path)
        again = init_model('sctnet-s-ade', path, device='cpu')
        assert torch.equal(logits(again), expected)
        assert again.dataset_meta['classes'] == ours.dataset_meta['classes']
        theirs = mmseg.apis.init_model(
            find_config('sctnet-s-ade'), str(path), device='cpu'
        )
        assert torch.equal(logits(theirs), expected)
    theirs = mmseg.apis.init_model(
        find_config('sctnet-s-ade'), str(released_ade_s), device='cpu'
    )
    assert torch.equal(logits(theirs), expected)
    assert len(theirs.dataset_meta['classes']) == 150


@pytest.mark.parametrize(('count', 'last'), [(19, 'class 18'), (2, 'bicycle')])
def test_classes_come_from_the_checkpoint_if_they_fit(
    count, last, tmp_path, released_city_s
):
    checkpoint = torch.load(released_city_s, weights_only=True)
    checkpoint['meta']['CLASSES'] = tuple(f'class {i}' for i in range(count))
    del checkpoint['meta']['PALETTE']
    torch.save(checkpoint, tmp_path / 'own.pth')
    meta = init_model(SEG50, tmp_path / 'own.pth', device='cpu').dataset_meta
    assert meta['classes'][18] == last
    assert len(meta['palette']) == 19


def test_classes_of_the_configs_own_data_set_inside_wrappers():
    cfg = load_config(SEG50)
    meta = dataset_meta_from_config(cfg)
    assert meta['classes'][:2] == ('road', 'sidewalk')
    assert len(meta['palette']) == 19
    dataset = cfg.test_dataloader.dataset
    dataset.metainfo = {'classes': ('mine',), 'palette': [[1, 2, 3]]}
    cfg.test_dataloader.dataset = {'type': 'RepeatDataset', 'dataset': dataset}
    assert dataset_meta_from_config(cfg)['classes'] == ('mine',)
    cfg.pop('test_dataloader')
    assert dataset_meta_from_config(cfg) is None


def test_weights_saved_inside_ddp_open(tmp_path, released_city_s, model):
    weights = torch.load(released_city_s, weights_only=True)['state_dict']
    torch.save({f'module.{k}': v for k, v in weights.items()}, tmp_path / 'ddp.pth')
    again = init_model(SEG50, tmp_path / 'ddp.pth', device='cpu')
    assert torch.equal(logits(again), logits(model))


@pytest.mark.parametrize('device', ['banana', 'cuda:99'])
def test_device_that_is_not_there(device):
    with pytest.raises(ArgumentError, match=f"device '{device}' cannot be used"):
        init_model(SEG50, device=device)


def test_narrow_image_that_the_pipeline_shrinks_too_far(model):
    with pytest.raises(ImageError, match='at least 64x64 pixels but got 1024x33'):
        inference_model(model, np.zeros((64, 2000, 3), np.uint8))


def test_config_object_and_options(released_city_s):
    cfg = load_config(SEG50)
    model = init_model(
        cfg, released_city_s, 'cpu', cfg_options={'test_cfg': None, 'num_classes': 19}
    )
    assert model.cfg.num_classes == 19
    assert cfg.test_cfg is not None  # the caller's config is not changed


def test_result_has_label_map_and_class_names(model, photo):
    sample = inference_model(model, photo)
    assert sample.pred_sem_seg.data.shape == (1, 80, 96)
    assert 'seg_logits' not in sample
    assert sample.metainfo['classes'][0] == 'road'
    assert sample.metainfo['palette'][0] == [128, 64, 128]
    assert sample.metainfo['img_path'] == str(photo)


def test_path_array_and_list_agree(model, photo):
    array = cv2.imread(str(photo))
    wide = np.ascontiguousarray(array[:70])
    batch = inference_model(model, [photo, wide, str(photo), array])
    expected = inference_model(model, photo).pred_sem_seg.data
    assert [tuple(s.pred_sem_seg.data.shape) for s in batch] == [
        *((1, 80, 96), (1, 70, 96)),
        *((1, 80, 96), (1, 80, 96)),
    ]
    for index in (0, 2, 3):
        assert torch.equal(batch[index].pred_sem_seg.data, expected)
    assert inference_model(model, []) == []


def test_mmsegs_own_inference_agrees(model, photo):
    expected = inference_model(model, photo, logits=True)
    theirs = mmseg.apis.init_model(find_config(SEG50), device='cpu')
    theirs.load_state_dict(model.state_dict())
    theirs.dataset_meta = model.dataset_meta
    theirs.test_cfg.shortcuts = False
    result = mmseg.apis.inference_model(theirs, str(photo))
    assert torch.equal(result.seg_logits.data, expected.seg_logits.data)
    assert torch.equal(result.pred_sem_seg.data, expected.pred_sem_seg.data)


def test_mmsegs_pictures_and_inferencer_work(model, photo, tmp_path, released_city_s):
    result = inference_model(model, photo)
    mmseg.apis.show_result_pyplot(
        model, str(photo), result, show=False, out_file=str(tmp_path / 'shown.png')
    )
    assert cv2.imread(str(tmp_path / 'shown.png')).shape == (80, 96, 3)
    inferencer = mmseg.apis.MMSegInferencer(
        str(find_config(SEG50)), str(released_city_s), device='cpu'
    )
    predicted = inferencer(str(photo))['predictions']
    np.testing.assert_array_equal(predicted, result.pred_sem_seg.data[0].numpy())


def test_misfits_name_the_file_the_difference_and_the_remedy(released_city_s):
    with pytest.raises(CheckpointError, match='has 19 classes and the model 150'):
        init_model('sctnet-s-ade', released_city_s)
    with pytest.raises(CheckpointError) as caught:
        init_model('sctnet-b-seg50', released_city_s)
    assert 'SCTNet-S' in str(caught.value)
    assert str(released_city_s) in str(caught.value)
    assert '\n' not in str(caught.value)
    # mmseg's init_model would have warned and gone on with a random network.
    with pytest.raises(CheckpointError, match='SCTNet-S'):
        mmseg.apis.init_model(
            find_config('sctnet-b-seg50'), str(released_city_s), device='cpu'
        )


def test_a_work_folder_names_its_best_checkpoint(model, released_city_s, tmp_path):
    for name in ('iter_2.pth', 'best_mIoU_iter_1.pth'):
        (tmp_path / name).write_bytes(b'')
    (tmp_path / 'best_mIoU_iter_1.pth').write_bytes(released_city_s.read_bytes())
    again = init_model(SEG50, tmp_path, device='cpu')
    assert torch.equal(logits(again), logits(model))


def test_missing_config_checkpoint_and_image(model, tmp_path):
    with pytest.raises(ConfigError, match='did you mean'):
        init_model('sctnet-x-seg50')
    with pytest.raises(CheckpointError, match='does not exist'):
        init_model(SEG50, tmp_path / 'nowhere.pth')
    with pytest.raises(ImageError, match='cannot be read'):
        inference_model(model, tmp_path / 'nowhere.png')
    with pytest.raises(ImageError, match='cannot segment a float'):
        inference_model(model, 0.5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_gpu_agrees_with_cpu(model, photo):
    torch.backends.cudnn.allow_tf32 = False
    expected = inference_model(model, photo, logits=True).seg_logits.data
    on_gpu = init_model(SEG50, device='cuda:0')
    on_gpu.load_state_dict(model.state_dict())
    actual = inference_model(on_gpu, photo, logits=True).seg_logits.data.cpu()
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-3 * expected.std())


def test_an_option_of_torchs_alone_takes_torch_without_being_asked(released_ade_s):
    build = partial(sctnet.apis.init_model, 'sctnet-s-ade', released_ade_s, 'cpu')
    assert build(dtype='bf16').backend == 'torch'
    assert build(threads=1).backend == 'onnxruntime'
