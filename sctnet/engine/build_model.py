"""From a config and a checkpoint to a segmentor without its training-only parts."""

import copy
import os
import warnings
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import DATASETS, MODELS

from .. import models  # noqa: F401  registers them
from ..catalog import load_config, merge_options
from ..compat.gaps import quieten_libraries
from ..models.heads import label_count
from ..weights.segmentor_files import load_segmentor
from .check_names import check_names


def build_segmentor(
    config: str | os.PathLike | Config,
    checkpoint: str | os.PathLike | None,
    cfg_options: dict[str, Any],
) -> BaseSegmentor:
    """Build a segmentor in eval mode, with its weights, ``cfg`` and class names.

    Args:
        config: what :func:`~sctnet.catalog.load_config` takes.
        checkpoint: see :func:`sctnet.apis.init_model`; None keeps the initial weights.
        cfg_options: dotted keys and values to change in the config.

    Raises:
        ConfigError: there is no such config, or it names what is not there.
        CheckpointError: the file is missing, damaged, unsafe, or does not fit.
    """
    cfg = copy.deepcopy(load_config(config))
    merge_options(cfg, cfg_options)
    check_names(cfg, ['model', 'test_dataloader'])
    model = _build(cfg)
    model.dataset_meta = dataset_meta_from_config(cfg)
    if checkpoint is not None:
        meta = _load_weights(model, checkpoint)
        model.dataset_meta = meta or model.dataset_meta
    model.cfg = cfg
    return model.eval()


def _build(cfg: Config) -> BaseSegmentor:
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    model_cfg = copy.deepcopy(cfg.model)
    for training_only in ('auxiliary_head', 'siam'):
        model_cfg.pop(training_only, None)
    with warnings.catch_warnings():
        quieten_libraries()
        return MODELS.build(model_cfg)


def _load_weights(
    model: BaseSegmentor, checkpoint: str | os.PathLike
) -> dict[str, Any] | None:
    """Load ``checkpoint`` strictly and return its class names and palette."""
    meta = load_segmentor(model, checkpoint)
    if meta is None or len(meta['classes']) != label_count(model):
        return None  # names that cannot be the model's
    if meta['palette'] is None:
        meta['palette'] = (model.dataset_meta or {}).get('palette')
    return meta


def dataset_meta_from_config(cfg: Config) -> dict[str, Any] | None:
    """Class names and palette of the config's test data set, or None without one."""
    dataset = cfg.get('test_dataloader', {}).get('dataset')
    while dataset is not None and 'dataset' in dataset:  # RepeatDataset and its kind
        dataset = dataset['dataset']
    if dataset is None or 'type' not in dataset:
        return None
    cls = dataset['type']
    cls = DATASETS.get(cls) if isinstance(cls, str) else cls
    meta = {**cls.METAINFO, **(dataset.get('metainfo') or {})}
    return meta if meta.get('classes') else None
