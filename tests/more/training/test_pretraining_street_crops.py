"""The generated data set that the pre-training is tried on."""

import cv2
import numpy as np
import pytest
from pretraining_support import PROJECT
from sctnet_pretraining import street_crops
from sctnet_pretraining.street_crops import CLASSES, write_street_crops

from sctnet.datasets.images import decode_image
from sctnet.errors import OutputError


def files_of(root):
    return {p.relative_to(root): p.read_bytes() for p in root.rglob('*.jpg')}


def test_same_seed_gives_the_same_files_and_more_scenes_add_to_them(tmp_path):
    line = write_street_crops(tmp_path / 'a', {'train': 1, 'val': 1}, seed=3)
    write_street_crops(tmp_path / 'b', {'train': 2, 'val': 1}, seed=3)
    few, more = files_of(tmp_path / 'a'), files_of(tmp_path / 'b')
    assert line.startswith(f'wrote {len(few)} crops of {len(CLASSES)} classes')
    assert few.items() < more.items()
    train = {p.name + p.parent.name: d for p, d in few.items() if 'train' in p.parts}
    val = {p.name + p.parent.name: d for p, d in few.items() if 'val' in p.parts}
    assert not set(train.values()) & set(val.values())


def test_crop_is_in_the_folder_of_what_covers_most_of_it(tmp_path, monkeypatch):
    """Scenes whose every pixel is drawn as its label."""

    def flat(seed, width, height):
        _, labels = render(seed, width, height)
        return np.repeat(labels[..., None], 3, axis=2), labels

    render, encode = street_crops.render_street_scene, cv2.imencode
    monkeypatch.setattr(street_crops, 'render_street_scene', flat)
    monkeypatch.setattr(street_crops.cv2, 'imencode', lambda _, x: encode('.png', x))
    write_street_crops(tmp_path / 'a', {'train': 2})
    found = files_of(tmp_path / 'a')
    assert len(found) > 8
    for path, data in found.items():
        labels = decode_image(data, 'crop')[..., 0]
        shares = {k: np.isin(labels, ids).mean() for k, ids in CLASSES.items()}
        kind = path.parent.name
        assert shares[kind] == max(shares.values())
        assert shares[kind] >= street_crops.SHARE


def test_folder_with_files_is_left_alone(tmp_path, run, capsys):
    (tmp_path / 'mine.txt').write_text('x')
    with pytest.raises(OutputError, match='is not empty'):
        write_street_crops(tmp_path, {'train': 1})
    assert run(PROJECT / 'make_street_crops.py', tmp_path) == 2
    assert 'error: ' in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ['mine.txt']
