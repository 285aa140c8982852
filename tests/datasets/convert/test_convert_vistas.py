"""Mapillary Vistas' labels, of either version, to the classes that are evaluated."""

import json

import numpy as np
import published_forms
import pytest
from conversion_sources import labels_of

from sctnet.datasets.convert import convert
from sctnet.errors import DataError

same = np.testing.assert_array_equal


@pytest.mark.parametrize('version', ['v1.2', 'v2.0', ''])
def test_labels_that_are_evaluated_are_classes(tmp_path, version):
    root, out = tmp_path / 'in', tmp_path / 'out'
    labels = published_forms.vistas(root, [version] if version else ['v1.2'])
    if not version:  # 1.1 had one set of labels, in config.json
        (root / 'config_v1.2.json').rename(root / 'config.json')
        for part in ('training', 'validation'):
            (root / part / 'v1.2/labels').rename(root / part / 'labels')
    result = convert('vistas', root, out, workers=0)
    assert result.classes == ('Bird', 'Road')
    assert result.palette == [[165, 42, 42], [128, 64, 128]]
    assert result.images == {'train': 3, 'val': 3}
    assert result.skipped == {'images without a mask': 1}
    for name, drawn in labels.items():
        part = 'train' if name.startswith('training') else 'val'
        same(labels_of(out, name, part), drawn)


def test_one_of_two_versions_is_named_by_its_file(tmp_path):
    root = tmp_path / 'in'
    published_forms.vistas(root)
    with pytest.raises(DataError, match=r'config_v1.2.json, config_v2.0.json.*name'):
        convert('vistas', root, tmp_path / 'out')
    for path in root.glob('*/v1.2/labels/*'):
        path.unlink()
    result = convert('vistas', root / 'config_v2.0.json', tmp_path / 'out')
    assert sum(result.images.values()) == 6


def test_names_that_are_not_told_apart_are_the_long_ones(tmp_path):
    root = tmp_path / 'in'
    published_forms.vistas(root, ['v2.0'])
    file = root / 'config_v2.0.json'
    content = json.loads(file.read_text())
    content['labels'][0]['readable'] = 'Road'
    content['labels'][0]['color'] = None
    file.write_text(json.dumps(content))
    result = convert('vistas', root, tmp_path / 'out')
    assert result.classes == ('animal--bird', 'construction--flat--road')
    assert result.palette is None
