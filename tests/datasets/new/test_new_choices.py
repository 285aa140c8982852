"""What is chosen of classes, parts and tiles reaches the data set and its configs."""

import json

import cv2
import exports
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmseg.registry import DATASETS

from sctnet.catalog import load_config
from sctnet.datasets.new import new_project
from sctnet.errors import ArgumentError


def test_classes_and_tiles_are_chosen(tmp_path):
    exports.label_studio(tmp_path / 'in')
    made = new_project(
        *(tmp_path / 'in', tmp_path / 'out'),
        rename={'wall': 'building'},
        classes='door,building',
        order='classes',
        val=0.3,
        stratify=True,
        tile=64,
        overlap=8,
        student='t',
    )
    cfg = load_config(made.configs[1])
    assert cfg.classes == ('background', 'door', 'building')
    # Tiles, and whole images, are neither shrunk nor enlarged.
    assert cfg.scale == (64, 64) == cfg.crop_size
    steps = Compose(cfg.test_pipeline[1:2] + cfg.test_pipeline[3:])
    whole = {'img': np.zeros((90, 200, 3), np.uint8)}
    assert steps(whole)['inputs'].shape == (3, 90, 200)
    with pytest.raises(ArgumentError, match='larger than --tile, 64'):
        new_project(tmp_path / 'in', tmp_path / 'none', tile=64, crop=96)
    assert 'cut: 5 images into 20 tiles' in made.said
    images = list(made.root.glob('images/**/*.png'))
    assert len(images) == 20
    assert {cv2.imread(str(path)).shape for path in images} == {(64, 64, 3)}
    # Later classes lie over earlier ones: walls over doors.
    hidden = 'shapes hidden by others, door under building (see --order)'
    assert f'skipped: 5 {hidden}' in made.said
    values = {int(v) for path in made.root.glob('labels/**/*.png')
              for v in np.unique(cv2.imread(str(path), -1))}  # fmt: skip
    assert values == {0, 2}
    assert 'without a single pixel: door' in made.said
    # A format without shapes has no such order.
    exports.flat_folders(tmp_path / 'flat')
    with pytest.raises(ArgumentError, match='format masks has no option --order'):
        new_project(tmp_path / 'flat', tmp_path / 'none', order='area')
    with pytest.raises(ArgumentError, match='--rename, --tile cannot be chosen'):
        new_project(made.root, tmp_path / 'none', rename='a=b', tile=64)


def test_configs_work_from_any_folder(tmp_path, monkeypatch):
    exports.flat_folders(tmp_path / 'photos')
    monkeypatch.chdir(tmp_path)
    made = new_project('photos', 'out', student='t', classes='a,b,c')
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    cfg = load_config(tmp_path / made.configs[1])
    assert len(DATASETS.build(cfg.train_dataloader.dataset)) > 1
    teacher = load_config(cfg.custom_hooks[0].teacher)
    assert len(DATASETS.build(teacher.val_dataloader.dataset)) > 0


def test_a_coco_file_is_parsed_once(tmp_path, monkeypatch):
    exports.roboflow(tmp_path / 'in')
    parsed, loads = [], json.loads

    def counted(text, **options):
        parsed.append(str(text)[:40])
        return loads(text, **options)

    monkeypatch.setattr('json.loads', counted)
    new_project(tmp_path / 'in', tmp_path / 'out', student='t')
    assert sum('"categories"' in text or '"info"' in text for text in parsed) == 3
