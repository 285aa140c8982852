import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from support import REPOSITORY, SEG50

from sctnet.apis import inference_model, init_model
from sctnet.deploy import export
from sctnet.deploy.export import export_model
from sctnet.errors import ArgumentError, CheckpointError, ConfigError

MEAN = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
STD = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)


@pytest.mark.parametrize('suffix', ['onnx', 'xml'])
@pytest.mark.parametrize('with_config', [False, True])
def test_init_model_opens_what_was_exported(
    suffix, with_config, exported, network, photo_array
):
    file = exported / f'sctnet.{suffix}'
    config = network.cfg if with_config else file
    again = init_model(config, file, device='cpu')
    assert again.dataset_meta['classes'] == list(network.dataset_meta['classes'])
    result = inference_model(again, photo_array)
    expected = inference_model(network, photo_array)
    same = result.pred_sem_seg.data == expected.pred_sem_seg.data
    assert same.double().mean() >= 0.9999
    assert len(result.pred_sem_seg.data.unique()) > 2
    assert result.metainfo['palette'][0] == [128, 64, 128]


def test_openvino_opens_onnx(exported):
    model = init_model(exported / 'sctnet.onnx', device='cpu', backend='openvino')
    assert model.backend == 'openvino'
    assert len(model.dataset_meta['classes']) == 19
    with pytest.raises(ArgumentError, match="take 'openvino'"):
        init_model(exported / 'sctnet.xml', device='cpu', backend='onnxruntime')


def test_the_file_says_what_it_is_and_nothing_of_where_it_was_made(exported):
    file = exported / 'sctnet.onnx'
    session = onnxruntime.InferenceSession(file)
    said = json.loads(session.get_modelmeta().custom_metadata_map['sctnet'])
    assert said['classes'][:2] == ['road', 'sidewalk']
    assert said['palette'][0] == [128, 64, 128]
    assert said['mean'] == pytest.approx([123.675, 116.28, 103.53])
    assert said['std'] == pytest.approx([58.395, 57.12, 57.375])
    step = {'type': 'Resize', 'scale': [192, 96], 'keep_ratio': True}
    assert said['pipeline'] == [step]
    assert said['rgb'] is True
    assert said['size'] is None
    assert said['precision'] == 'fp32'
    assert said['version']
    assert said['config'] == SEG50
    for path in exported.iterdir():
        content = path.read_bytes()
        for place in (str(REPOSITORY), str(exported), torch.__path__[0]):
            assert place.encode() not in content


def test_any_batch_and_size_by_default(exported):
    session = onnxruntime.InferenceSession(exported / 'sctnet.onnx')
    assert session.get_inputs()[0].shape == ['N', 3, 'H', 'W']
    assert session.get_outputs()[0].shape == ['N', 19, 'h', 'w']
    (logits,) = session.run(None, {'images': np.zeros((2, 3, 80, 112), np.float32)})
    assert logits.shape == (2, 19, 10, 14)


def test_fixed_size_labels_and_normalisation_inside(network, photo_array, tmp_path):
    """What a program without sctnet does with it: OpenCV's image in, labels out."""
    file = tmp_path / 'camera.onnx'
    agreement = export_model(
        network, file, size=(96, 160), output='labels', normalise=True
    )
    assert agreement.labels >= 0.9999
    session = onnxruntime.InferenceSession(file)
    assert session.get_inputs()[0].shape == [1, 96, 160, 3]
    image = photo_array[:96, :150].repeat(2, axis=1)[:, :160]
    (labels,) = session.run(None, {'images': np.ascontiguousarray(image)[None]})
    assert labels.dtype == np.uint8
    assert labels.shape == (1, 96, 160)
    inputs = (torch.tensor(image[..., ::-1].copy()).permute(2, 0, 1) - MEAN) / STD
    with torch.no_grad():
        expected = network.encode_decode(inputs[None], [{'img_shape': (96, 160)}])
    assert (labels[0] == expected[0].argmax(0).numpy()).mean() >= 0.999
    with pytest.raises(CheckpointError, match='without --normalise'):
        init_model(file, device='cpu')


def test_a_fixed_size_is_what_images_are_resized_to(network, photo_array, tmp_path):
    export_model(network, tmp_path / 'fixed.onnx', size=(96, 160))
    for again in (
        init_model(tmp_path / 'fixed.onnx', device='cpu'),
        init_model(network.cfg, tmp_path / 'fixed.onnx', device='cpu'),
    ):
        for image in (photo_array, photo_array[:, :100]):
            result = inference_model(again, np.ascontiguousarray(image))
            assert result.pred_sem_seg.data.shape[1:] == image.shape[:2]


def test_channels_stay_in_order_where_the_preprocessor_keeps_them(
    narrow, weights, photo_array, tmp_path
):
    """BGR throughout, inside the graph and around it."""
    options = {**narrow, 'model.data_preprocessor.bgr_to_rgb': False}
    bgr = init_model(SEG50, weights, 'cpu', options, backend='torch')
    export_model(bgr, tmp_path / 'bgr.onnx')
    again = init_model(tmp_path / 'bgr.onnx', device='cpu')
    expected = inference_model(bgr, photo_array).pred_sem_seg.data
    actual = inference_model(again, photo_array).pred_sem_seg.data
    assert (actual == expected).double().mean() >= 0.9999
    export_model(bgr, tmp_path / 'in.onnx', normalise=True)
    session = onnxruntime.InferenceSession(tmp_path / 'in.onnx')
    (logits,) = session.run(None, {'images': photo_array[None]})
    inputs = (torch.tensor(photo_array).permute(2, 0, 1) - MEAN) / STD
    with torch.no_grad():
        expected = bgr.decode_head(bgr.extract_feat(inputs[None]))
    torch.testing.assert_close(
        torch.tensor(logits), expected, rtol=0, atol=1e-4 * expected.std().item()
    )


@pytest.mark.parametrize(
    'options',
    [
        {
            'model.test_cfg': {
                'mode': 'slide',
                'crop_size': (64, 64),
                'stride': (32, 32),
            }
        },
        {'model.decode_head.align_corners': True},
        {'model.data_preprocessor.test_cfg': {'size_divisor': 32}},
    ],
)
def test_what_a_file_cannot_hold_is_refused(options, narrow, tmp_path):
    model = init_model(SEG50, None, 'cpu', {**narrow, **options}, backend='torch')
    with pytest.raises(ConfigError, match='can be exported'):
        export_model(model, tmp_path / 'x.onnx')
    assert not list(tmp_path.iterdir())


def test_names_of_another_number_of_classes_are_not_written(narrow, tmp_path):
    options = {**narrow, 'model.decode_head.num_classes': 4}
    model = init_model(SEG50, None, 'cpu', options, backend='torch')
    export_model(model, tmp_path / 'four.ONNX')
    again = init_model(tmp_path / 'four.ONNX', device='cpu')
    assert again.dataset_meta['classes'] == ['0', '1', '2', '3']


def test_weights_and_options_beside_a_file_are_refused(exported, weights):
    with pytest.raises(ArgumentError, match='leave the checkpoint out'):
        init_model(exported / 'sctnet.onnx', weights, device='cpu')
    with pytest.raises(ArgumentError, match='cfg_options do not change'):
        init_model(exported / 'sctnet.onnx', cfg_options={'a': 1}, device='cpu')
    with pytest.raises(ArgumentError, match="device 'banana' is not known"):
        init_model(exported / 'sctnet.onnx', device='banana')


def test_full_logits(network, photo_array, tmp_path):
    export_model(network, tmp_path / 'full.onnx', output='full_logits')
    session = onnxruntime.InferenceSession(tmp_path / 'full.onnx')
    (logits,) = session.run(None, {'images': np.zeros((1, 3, 70, 90), np.float32)})
    assert logits.shape == (1, 19, 70, 90)
    again = init_model(tmp_path / 'full.onnx', device='cpu')
    result = inference_model(again, photo_array).pred_sem_seg.data
    expected = inference_model(network, photo_array).pred_sem_seg.data
    assert (result == expected).double().mean() >= 0.9999


@pytest.mark.parametrize('suffix', ['onnx', 'xml'])
def test_half_precision_halves_the_file(suffix, network, exported, tmp_path):
    before = {k: v.clone() for k, v in network.state_dict().items()}
    agreement = export_model(network, tmp_path / f'half.{suffix}', precision='fp16')
    assert agreement.difference < 0.1
    size = sum(p.stat().st_size for p in tmp_path.iterdir())
    whole = sum(p.stat().st_size for p in exported.glob(f'*.{suffix[0]}*'))
    whole += sum(p.stat().st_size for p in exported.glob('*.bin')) * (suffix == 'xml')
    assert 0.4 < size / whole < 0.65
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])  # the model was not converted


def test_an_export_that_computes_something_else_is_not_written(
    network, tmp_path, monkeypatch
):
    build = export.build_onnx

    def spoilt(*args):
        broken = onnx.load_from_string(build(*args))
        weights = max(broken.graph.initializer, key=lambda one: len(one.raw_data))
        values = onnx.numpy_helper.to_array(weights) * 1.01
        weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
        return broken.SerializeToString()

    monkeypatch.setattr(export, 'build_onnx', spoilt)
    with pytest.raises(CheckpointError, match='nothing was written'):
        export_model(network, tmp_path / 'x.onnx')
    assert not list(tmp_path.iterdir())


def test_bad_arguments(network, tmp_path, monkeypatch):
    with pytest.raises(ArgumentError, match='unknown suffix: expected one of'):
        export_model(network, tmp_path / 'x.pt')
    with pytest.raises(ArgumentError, match='at least 64x64'):
        export_model(network, tmp_path / 'x.onnx', size=(32, 512))
    with pytest.raises(ArgumentError, match='expected one of fp32, fp16'):
        export_model(network, tmp_path / 'x.onnx', precision='fp8')
    with pytest.raises(ArgumentError, match='expected one of logits'):
        export_model(network, tmp_path / 'x.onnx', output='mask')
    with pytest.raises(ArgumentError, match=r"pip install 'sctnet\[tensorrt\]'"):
        export_model(network, tmp_path / 'x.engine')
    monkeypatch.setattr(
        'sctnet.compat.optional_packages.is_installed', lambda p: p != 'onnx'
    )
    with pytest.raises(ArgumentError, match=r"onnx is not .* 'sctnet\[onnx\]'"):
        export_model(network, tmp_path / 'x.onnx')


def test_files_that_say_nothing_of_themselves(exported, tmp_path):
    anonymous = onnx.load(exported / 'sctnet.onnx')
    del anonymous.metadata_props[:]
    onnx.save(anonymous, tmp_path / 'anonymous.onnx')
    with pytest.raises(CheckpointError, match='does not say what it is'):
        init_model(tmp_path / 'anonymous.onnx', device='cpu')
    with pytest.raises(CheckpointError, match='does not exist'):
        init_model(tmp_path / 'nowhere.onnx', device='cpu')
    (tmp_path / 'lone.xml').write_bytes((exported / 'sctnet.xml').read_bytes())
    with pytest.raises(CheckpointError, match=r'lone\.bin.*copy it, too'):
        init_model(tmp_path / 'lone.xml', device='cpu')
