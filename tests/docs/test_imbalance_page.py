"""Every config of the page on rare classes has losses that can be computed."""

import copy

import pytest
from doc_pages import blocks
from mmseg.registry import MODELS
from own_folder import CLASSES, write_config

from sctnet.catalog import load_config
from sctnet.engine.check_losses import check_losses
from sctnet.engine.check_names import check_names

PAGE = 'docs/imbalance.md'
CONFIGS = {block.title: block for block in blocks(PAGE, 'python') if block.title}


@pytest.mark.parametrize('name', CONFIGS)
def test_the_losses_of_a_config_can_be_computed(name, tmp_path):
    classes = ('rest', 'object') if name == 'one_class.py' else CLASSES
    write_config(tmp_path / 'student.py', 'data/rooms', 'student_s', classes)
    (tmp_path / name).write_text(CONFIGS[name].code)
    cfg = load_config(tmp_path / name)
    check_names(cfg, ['model'])
    model = MODELS.build(copy.deepcopy(cfg.model))
    check_losses(model)
    # It says something: of its classes, weights, or of another loss than the recipes'.
    plain = type(model.decode_head.loss_decode).__name__ == 'PixelCrossEntropyLoss'
    weighted = getattr(model.decode_head.loss_decode, 'class_weight', None)
    sampled, channels = model.decode_head.sampler, model.decode_head.out_channels
    assert not plain or weighted or sampled or channels == 1
