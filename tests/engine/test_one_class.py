"""One sigmoid channel, from training to label maps."""

from pathlib import Path

import numpy as np
import pytest
import torch
from own_folder import image_path, write_config, write_own_data

from sctnet.apis import inference_model, init_model
from sctnet.cli.infer import infer
from sctnet.cli.test import test as measure
from sctnet.cli.train import train
from sctnet.deploy.export import export_model
from sctnet.errors import ConfigError, DataError
from sctnet.files import find_files

pytestmark = pytest.mark.slow

HEADS = ('decode_head', 'auxiliary_head')
OPTIONS = {
    'model.siam': None,
    'train_dataloader.num_workers': 0,
    'val_dataloader.num_workers': 0,
    'test_dataloader.num_workers': 0,
    **{f'model.{head}.out_channels': 1 for head in HEADS},
    **{f'model.{head}.threshold': 0.45 for head in HEADS},
    **{f'model.{head}.loss_decode.use_sigmoid': True for head in HEADS},
}


def test_one_channel_is_trained_measured_and_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = write_own_data(tmp_path / 'data', classes=2)
    names = ('rest', 'object')
    config = write_config(
        tmp_path / 'mine.py', data, classes=names, iterations=2, batch=2
    )
    counts = {f'model.{head}.num_classes': 1 for head in HEADS}
    options = {**OPTIONS, **counts}
    train(str(config), cfg_options=options, work_dir='work')
    trained = 'work/mine.py'
    measure(trained, 'work', report='report', out='maps', work_dir='tested')
    assert (tmp_path / 'report/index.html').is_file()
    assert len(find_files(tmp_path / 'maps', '.png')) == 2
    model = init_model(trained, 'work', device='cpu')
    assert tuple(model.dataset_meta['classes']) == names
    result = inference_model(model, image_path(data, 'val', 0))
    labels = result.pred_sem_seg.data
    assert labels.dtype == torch.int64
    assert set(np.unique(labels)) <= {0, 1}
    infer(
        str(data / 'images/val'),
        config=trained,
        checkpoint='work',
        out_dir=Path('drawn'),
    )
    assert len(find_files(tmp_path / 'drawn', '.png')) == 4
    with pytest.raises(ConfigError, match='more than one output channel'):
        export_model(model, tmp_path / 'one.onnx')


def test_a_third_label_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = write_own_data(tmp_path / 'data', classes=3)
    config = write_config(
        tmp_path / 'mine.py', data, classes=('rest', 'object'), iterations=2, batch=2
    )
    with pytest.raises(DataError, match='one label too many'):
        train(str(config), cfg_options=OPTIONS, work_dir='work')
    with pytest.raises(DataError, match=r'labels \[2\] outside the 2 classes'):
        train(str(config), cfg_options=OPTIONS, work_dir='work', check=False)
