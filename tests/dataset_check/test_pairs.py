"""Which files a data set's images are paired with, and what is said where none is."""

from own_folder import image_path, label_path, write_config, write_own_data
from PIL import Image

from sctnet.catalog import load_config
from sctnet.dataset_check import check_config


def test_a_label_map_saved_as_jpeg_is_named_as_such(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    labels = label_path(root, 'val', 1)
    Image.open(labels).convert('L').save(labels.with_suffix('.jpg'))
    labels.unlink()
    result = check_config(load_config(write_config(tmp_path / 'mine.py', root)))
    (found,) = result.faults
    assert found.kind == 'missing label map'
    assert found.path == str(image_path(root, 'val', 1))
    assert 'found a .jpg: save label maps as PNG' in found.detail
