"""Every block of Python in README.md and docs/ runs, and those that are configs load.

The blocks of a page run in order, in one folder, and share their names.
"""

import cv2
import pytest
import torch
from conversion_sources import LARGE, coco_json, outline, picture
from doc_pages import PAGES, blocks
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from own_folder import write_config, write_own_data
from small_training import TEACHER, save_teacher_of
from support import released_checkpoint

from sctnet.apis import init_model
from sctnet.catalog import load_config
from sctnet.datasets.street_scenes import render_street_scene
from sctnet.deploy.export import export_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with the pictures, weights and data that the pages name."""
    folder = tmp_path_factory.mktemp('docs')
    cv2.imwrite(str(folder / 'street.png'), render_street_scene(3, 128, 64)[0])
    released_checkpoint('city_s_seg50', folder / 'sctnet_s_seg50.pth', False)
    (folder / 'work_dirs/teacher').mkdir(parents=True)
    save_teacher_of(folder / 'work_dirs/teacher/iter_0.pth', TEACHER)
    write_own_data(folder / 'data' / 'rooms')
    write_own_data(folder / 'photos')
    for name in ('teacher_b2', 'student_s'):
        write_config(folder / f'{name[:7]}.py', 'data/rooms', name)
    for i in range(2):
        picture(folder / f'rooms_coco/images/{i}.jpg')
    rows = [(i, 3, [outline(LARGE)]) for i in range(2)]
    coco_json(folder / 'rooms_coco/train.json', rows, ('0.jpg', '1.jpg'))
    return folder


@pytest.fixture
def exported(place):
    """The files that a page exports by commands, of a small network."""
    model = init_model('sctnet-t-streets', device='cpu', backend='torch')
    export_model(model, place / 'sctnet.onnx')
    fixed = {'size': (512, 1024), 'output': 'labels', 'normalise': True}
    export_model(model, place / 'camera.onnx', **fixed)


def training_batch():
    """Return the names that a training step without a Runner is given."""
    labels = PixelData(data=torch.zeros(1, 64, 64, dtype=torch.long))
    sample = SegDataSample(metainfo={'img_shape': (64, 64)}, gt_sem_seg=labels)
    return {'images': torch.randn(2, 3, 64, 64), 'data_samples': [sample, sample]}


def is_config(block):
    return 'read_base()' in block.code


@pytest.mark.parametrize('page', [page for page in PAGES if blocks(page, 'python')])
def test_python_of_a_page_runs(page, place, request, monkeypatch):
    monkeypatch.chdir(place)
    if any('.onnx' in block.code for block in blocks(page, 'python')):
        request.getfixturevalue('exported')
    names = training_batch()
    for block in blocks(page, 'python'):
        if is_config(block):
            file = place / (block.title or 'my_config.py')
            file.write_text(block.code)
            load_config(file)
        elif block.title and 'class ' in block.code:  # a module beside a config
            (place / block.title).write_text(block.code)
        else:
            exec(compile(block.code, block.place, 'exec'), names)
