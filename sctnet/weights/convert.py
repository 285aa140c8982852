"""Any weight file that users have, written as a clean student-only file."""

import os
from collections.abc import Mapping
from typing import Any

import torch
from mmseg.registry import MODELS
from torch import Tensor

from ..errors import CheckpointError, OutputError
from .fit import check_weights
from .key_map import (
    BACKBONE_NAMES,
    CLASSIFIER_ONLY,
    ORIGINAL_TO_PORT,
    TRAINING_ONLY,
    rename_weights,
)
from .safe_files import dataset_meta_of, read_checkpoint, weights_of, write_checkpoint


def convert_checkpoint(
    source: str | os.PathLike,
    target: str | os.PathLike,
    backbone_only: bool = False,
) -> str:
    """Write the student of ``source`` to ``target``, under our names and complete.

    Optimizer, teacher, alignment and auxiliary head are left out; class names and
    palette are kept. A backbone file stays a backbone file, and a classifier that was
    trained on images with one label each becomes one. Of a run with mmengine's
    ``EMAHook`` the averaged weights are taken, which it stores as the state dict.

    Args:
        source: the original's released or pre-trained file, one of our own, or
            mmpretrain's of a classifier with this backbone.
        target: ends in ``.pth`` or ``.safetensors``; written whole or not at all.
        backbone_only: leave out the decode head too, for ``init_cfg`` Pretrained.

    Returns:
        One line that says what was written.

    Raises:
        CheckpointError: ``source`` cannot be read, is no SCTNet, or is incomplete.
        OutputError: ``target`` cannot be written, or is ``source``.
    """
    checkpoint = read_checkpoint(source)
    if os.path.exists(target) and os.path.samefile(source, target):
        raise OutputError(
            f"'{target}' is the file to convert: name another one to write, since what "
            'is left out would be lost'
        )
    try:
        weights = weights_of(checkpoint)
        student = student_weights(weights)
    except CheckpointError as error:
        raise CheckpointError(f"cannot convert '{source}': {error}") from error
    if backbone_only:
        student = {k: v for k, v in student.items() if k.startswith('backbone.')}
    meta: dict[str, Any] = {}
    dataset_meta = dataset_meta_of(checkpoint)
    if dataset_meta and any(k.startswith('decode_head.') for k in student):
        meta['dataset_meta'] = {
            'classes': list(dataset_meta['classes']),
            'palette': dataset_meta['palette'],
        }
    write_checkpoint(target, student, meta)
    return f"wrote {len(student)} of {len(weights)} tensors to '{target}'"


def student_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return backbone and decode head of ``weights``, under our names.

    Args:
        weights: a whole model's state dict, with or without the training-only parts,
            a backbone's without prefix, or a classifier's; under the original's names
            or ours.

    Raises:
        CheckpointError: unknown keys, or parts of the student are missing.
    """
    student = dict(weights)
    if not any(k.startswith(('backbone.', 'decode_head.')) for k in student):
        rename_weights(student, '', BACKBONE_NAMES)
        student = {f'backbone.{key}': value for key, value in student.items()}
    rename_weights(student, '', ORIGINAL_TO_PORT)
    segmentor = any(key.startswith('decode_head.') for key in student)
    left_out = TRAINING_ONLY if segmentor else TRAINING_ONLY + CLASSIFIER_ONLY
    student = {k: v for k, v in student.items() if not k.startswith(left_out)}
    return _check_complete(student)


def _check_complete(student: dict[str, Tensor]) -> dict[str, Tensor]:
    """Compare with an SCTNet built from the sizes that ``student`` itself shows."""
    try:
        base = len(student['backbone.stem.0.weight'])
        branch = len(student['backbone.dappm.scales.0.conv.weight'])
    except KeyError as error:
        raise CheckpointError(
            f'it has no {error.args[0]} and so is no SCTNet; name a released SCTNet, a '
            'pre-trained SCTNet backbone or a checkpoint of sctnet'
        ) from error
    parts: dict[str, dict[str, Any]] = {
        'backbone': {
            'type': 'sctnet.models.SCTNet',
            'base_channels': base,
            'dappm_channels': branch,
        }
    }
    if any(key.startswith('decode_head.') for key in student):
        classifier = student.get('decode_head.conv_seg.weight')
        parts['decode_head'] = {
            'type': 'sctnet.models.SCTHead',
            'in_channels': 4 * base,
            'channels': 4 * base,
            'num_classes': 1 if classifier is None else len(classifier),
        }
    with torch.device('meta'):
        model = {
            f'{part}.{key}': value
            for part, config in parts.items()
            for key, value in MODELS.build(config).state_dict().items()
        }
    check_weights(model, student)
    return student
