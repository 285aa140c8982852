"""Trains on images of 16 bits and of four bands, and looks at what arrives."""

import cv2
import numpy as np
import pytest
import torch
from own_folder import CLASSES, image_path, write, write_config, write_own_data
from small_training import save_teacher

from sctnet.apis import inference_model, init_model
from sctnet.catalog import load_config, merge_options
from sctnet.cli.infer import infer
from sctnet.datasets.check.checker import check_config
from sctnet.deploy.export import export_model
from sctnet.deploy.int8 import quantise_model
from sctnet.engine.check_bands import check_band_order
from sctnet.engine.check_names import check_names
from sctnet.engine.launch import enable_tta
from sctnet.engine.runner import Runner
from sctnet.errors import ConfigError, ImageError
from sctnet.streams.open_input import Source
from sctnet.streams.segment import Outputs, segment_source

pytestmark = pytest.mark.slow

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
LIMIT = 4000  # of 12 bits in 16


def write_bands(root, bands, kind):
    """Own data whose images are PNGs; the last band lies high and alone."""
    write_own_data(root)
    rng = np.random.default_rng(0)
    largest = 255 if kind == np.uint8 else LIMIT
    for part, count in (('train', 4), ('val', 2)):
        for number in range(count):
            image = rng.integers(0, largest // 2, (80, 96, bands)).astype(kind)
            image[..., -1] += largest // 2
            stored = image[..., [2, 1, 0, *range(3, bands)]]
            write(image_path(root, part, number), np.ascontiguousarray(stored))
    return root


def read_by_bands(bands, largest):
    """Options that a user sets for such images."""
    steps = {f'{loader}.dataset.pipeline.0.type': 'LoadBands' for loader in LOADERS}
    return {
        **steps,
        'test_pipeline.0.type': 'LoadBands',
        'train_dataloader.dataset.pipeline.5.type': 'PhotometricDistortion',
        'train_dataloader.dataset.pipeline.5.max_value': largest,
        **{f'{loader}.num_workers': 0 for loader in LOADERS},
        'model.backbone.in_channels': bands,
        'model.data_preprocessor.mean': [largest / 2] * bands,
        'model.data_preprocessor.std': [largest / 4] * bands,
        'model.data_preprocessor.bgr_to_rgb': False,
    }


def config_of(tmp_path, data, base, options, **own):
    cfg = load_config(write_config(tmp_path / f'{base}.py', data, base, **own))
    merge_options(cfg, options)
    cfg.work_dir = str(tmp_path / base)
    check_names(cfg)
    return cfg


def teach(cfg, teacher, folder):
    teacher.dump(str(folder / 'teacher_dumped.py'))
    file = save_teacher(folder / 'teacher.pth', teacher.model, CLASSES)
    names = {'teacher': str(folder / 'teacher_dumped.py'), 'checkpoint': str(file)}
    cfg.custom_hooks[0].update(names)


@pytest.mark.parametrize(
    ('bands', 'kind', 'taught'), [(3, np.uint16, False), (4, np.uint8, True)]
)
def test_bands_and_range_arrive_at_the_network(tmp_path, bands, kind, taught):
    data = write_bands(tmp_path / 'data', bands, kind)
    largest = 255 if kind == np.uint8 else LIMIT
    options = read_by_bands(bands, largest)
    cfg = config_of(tmp_path, data, 'student_t', options, iterations=2, batch=2)
    assert check_config(cfg).faults == []
    if taught:
        teach(cfg, config_of(tmp_path, data, 'teacher_t', options), tmp_path)
    else:
        cfg.model.siam = None
    runner = Runner.from_cfg(cfg)
    seen = []
    runner.model.backbone.register_forward_pre_hook(
        lambda module, args: seen.append((module.training, args[0].clone()))
    )
    runner.train()
    assert [training for training, _ in seen] == [True, False, False] * 2
    for training, images in seen:
        values = images * (largest / 4) + largest / 2
        assert images.shape[1] == bands
        assert values[:, -1].max() > (0.55 if training else 0.9) * largest
        assert values.max() <= largest * 1.0001
        if not training:  # the last band is the file's last
            assert values[:, -1].min() >= largest // 2 - 1
            assert values[:, :-1].max() <= largest // 2
    check_inference(tmp_path, cfg, data, bands, kind)


def check_inference(tmp_path, cfg, data, bands, kind):
    """A path and its array give the same, on torch and by ONNX Runtime."""
    path = image_path(data, 'val', 0)
    array = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert array.dtype == kind
    array = array[..., [2, 1, 0, *range(3, bands)]]
    file = next((tmp_path / 'student_t').glob('iter_2.pth'))
    config = next((tmp_path / 'student_t').glob('*.py'))
    found = []
    for backend in ('torch', 'onnxruntime'):
        if backend == 'onnxruntime':
            pytest.importorskip('onnxruntime')
        model = init_model(config, file, device='cpu', backend=backend)
        logits = [
            inference_model(model, image, logits=True).seg_logits.data
            for image in (path, array)
        ]
        assert torch.equal(*logits)
        found.append(logits[0])
    torch.testing.assert_close(found[0], found[-1], rtol=1e-3, atol=1e-4)
    if bands == 4:
        with pytest.raises(ImageError, match='3 bands and the network takes 4'):
            inference_model(
                init_model(config, file, device='cpu', backend='torch'), array[..., :3]
            )
    export_and_infer(tmp_path, config, file, path, found[0].argmax(0))


def export_and_infer(tmp_path, config, file, path, expected):
    """An exported file, and the command, give the label map of ``inference_model``."""
    model = init_model(config, file, device='cpu', backend='torch')
    exported = tmp_path / 'a.onnx'
    export_model(model, exported)
    for name, weights in ((None, exported), (str(config), file)):
        out = tmp_path / f'out{weights.suffix}'
        assert infer(str(path.parent), str(weights), config=name, out_dir=out) == 0
        labels = cv2.imread(str(out / f'{path.stem}_labels.png'), cv2.IMREAD_UNCHANGED)
        assert (labels == expected.numpy()).mean() > 0.999
        assert cv2.imread(str(out / f'{path.stem}_overlay.png')).shape == (80, 96, 3)
    opened = init_model(exported)
    bands = len(opened.data_preprocessor.mean)
    assert opened.cfg.test_pipeline[0].type == 'LoadBands'
    assert (inference_model(opened, path).pred_sem_seg.data[0] == expected).all()
    with pytest.raises(ImageError, match=f'{bands + 1} bands and the network takes'):
        inference_model(opened, np.zeros((80, 96, bands + 1), np.uint8))
    with pytest.raises(ConfigError, match=r'--normalise.* by LoadBands: leave it'):
        export_model(model, exported, normalise=True)
    with pytest.raises(ConfigError, match='videos, cameras and uploads are of 8-bit'):
        segment_source(model, Source(iter(()), 1, 'video', 'a'), Outputs(tmp_path))
    for number in range(4):
        (tmp_path / 'few').mkdir(exist_ok=True)
        (tmp_path / 'few' / f'{number}.png').write_bytes(path.read_bytes())
    agreement = quantise_model(model, tmp_path / 'int8.onnx', tmp_path / 'few')
    assert agreement.labels > 0.5
    assert init_model(tmp_path / 'int8.onnx').data_preprocessor.mean.numel() == bands


def test_what_does_not_go_together_is_said(tmp_path):
    data = write_own_data(tmp_path / 'data')
    options = read_by_bands(3, 255)
    whole = {**options, 'model.data_preprocessor.bgr_to_rgb': True}
    with pytest.raises(ConfigError, match='bgr_to_rgb=False'):
        config_of(tmp_path, data, 'student_t', whole)
    some = {key: v for key, v in options.items() if not key.startswith('test_pipe')}
    with pytest.raises(
        ConfigError, match='by LoadBands and test_pipeline by LoadImage'
    ):
        config_of(tmp_path, data, 'student_t', some)
    cfg = config_of(tmp_path, data, 'student_t', options)
    with pytest.raises(ConfigError, match='tta_pipeline too, begin with the same'):
        enable_tta(cfg)
    cfg = config_of(tmp_path, data, 'student_t', {})
    joined = {'type': 'ConcatDataset', 'datasets': [cfg.val_dataloader.dataset]}
    bands = cfg.train_dataloader.dataset.pipeline[0]
    bands.type = 'LoadBands'
    cfg.test_pipeline = []
    cfg.val_dataloader.dataset = joined
    cfg.test_dataloader = cfg.val_dataloader
    with pytest.raises(ConfigError, match=r'datasets\.0\.pipeline by LoadImageFromF'):
        check_band_order(cfg)
    cfg.val_dataloader.dataset.datasets[0].pipeline[0].type = 'LoadImageFromStore'
    with pytest.raises(ConfigError, match=r'datasets\.0\.pipeline by LoadImageFromS'):
        check_band_order(cfg)
    cfg = config_of(tmp_path, data, 'student_t', read_by_bands(4, 255))
    cfg.model.data_preprocessor.mean = [1.0, 2.0, 3.0]
    with pytest.raises(ConfigError, match='mean has 3 values and the backbone takes 4'):
        Runner.from_cfg(cfg)
    cfg = config_of(tmp_path, data, 'student_t', read_by_bands(4, 255))
    teach(cfg, config_of(tmp_path, data, 'teacher_t', {}), tmp_path)
    runner = Runner.from_cfg(cfg)
    with pytest.raises(ConfigError, match='of 4 bands and the teacher of 3'):
        runner.call_hook('before_train')
