"""What ``sctnet new`` writes is a config that mmseg reads by itself."""

from collections import OrderedDict

import mmseg.apis
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS
from mmseg.visualization import SegLocalVisualizer
from own_folder import CLASSES, image_path, write_config, write_own_data

from sctnet.catalog import load_config
from sctnet.datasets.overlay import distinct_colours

BASES = ('student_t', 'student_s', 'student_b', 'teacher_t', 'teacher_b2', 'teacher_b3')


@pytest.mark.parametrize('base', BASES)
def test_every_network_builds(base, tmp_path):
    path = write_config(tmp_path / 'mine.py', tmp_path, base, iterations=700)
    cfg = load_config(path)
    assert cfg.dump() == Config.fromfile(path).dump()  # all that is set stands there
    assert MODELS.build(cfg.model).decode_head.num_classes == 3
    assert cfg.train_cfg.max_iters == 700
    assert cfg.param_scheduler[0].warmup_iters == 70


def test_a_scale_that_is_changed_stays(tmp_path):
    path = write_config(tmp_path / 'mine.py', tmp_path)
    path.write_text(path.read_text().replace('scale = (256, 64)', 'scale = (900, 600)'))
    cfg = load_config(path)
    assert tuple(cfg.val_dataloader.dataset.pipeline[1].scale) == (900, 600)
    assert tuple(cfg.train_dataloader.dataset.pipeline[2].scale) == (900, 600)
    assert tuple(cfg.crop_size) == (64, 64)


def test_mmsegs_own_functions_take_it(tmp_path, monkeypatch):
    for shared in (DefaultScope, SegLocalVisualizer):  # those of other tests stay
        monkeypatch.setattr(shared, '_instance_dict', OrderedDict())
    root = write_own_data(tmp_path / 'rooms')
    path = write_config(tmp_path / 'mine.py', root)
    image = str(image_path(root, 'val', 0))
    model = mmseg.apis.init_model(str(path), device='cpu')
    assert model.decode_head.num_classes == 3
    labels = mmseg.apis.inference_model(model, image).pred_sem_seg.data
    assert labels.shape == (1, 80, 96)
    inferencer = mmseg.apis.MMSegInferencer(
        str(path), classes=CLASSES, palette=distinct_colours(3), device='cpu'
    )
    found = inferencer(image, show=False)['predictions']
    assert np.asarray(found).shape == (80, 96)


def test_colours_of_classes_differ():
    colours = distinct_colours(60)
    assert len({tuple(colour) for colour in colours}) == 60
    assert all(0 <= value <= 255 for colour in colours for value in colour)
