"""Where the project lies, and pictures for its tests."""

import sys

import cv2
import numpy as np
from support import REPOSITORY

PROJECT = REPOSITORY / 'projects' / 'imagenet_pretraining'
TINY = 'sctnet_t_1xb32_600_street_crops_64x64'
if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))


def write_jpeg(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)
    return path


def smooth(height, width, seed=0):
    """A picture whose every region looks different and that JPEG hardly changes."""
    noise = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def load_classifier(name=TINY, **changes):
    """Build the classifier of one of the project's configs."""
    import sctnet_pretraining  # noqa: F401  before mmpretrain
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpretrain.registry import MODELS

    init_default_scope('mmpretrain')
    cfg = Config.fromfile(PROJECT / 'configs' / f'{name}.py')
    return MODELS.build({**cfg.model, **changes})
