"""Weight files of teachers, and what is wrong with one that does not fit."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from ..errors import CheckpointError
from .fit import compare, list_misfits
from .safe_files import dataset_meta_of, find_checkpoint, weights_of

# The original's names of a teacher, alone or inside its student.
_PREFIXES = (
    ('auxiliary_head.1.teacher_backbone.', 'backbone.'),
    ('auxiliary_head.1.teacher_head.', 'decode_head.'),
    ('teacher_backbone.', 'backbone.'),
    ('teacher_head.', 'decode_head.'),
)
_TRAINING_ONLY = ('auxiliary_head.', 'siam.')


def teacher_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the teacher in ``weights`` under mmseg's names.

    Takes a segmentor's state dict as mmseg 0.x and 1.x save it, a teacher as the
    original released it, and a student of the original's that carries its teacher.
    """
    if not any('teacher_backbone.' in key for key in weights):
        return {k: v for k, v in weights.items() if not k.startswith(_TRAINING_ONLY)}
    teacher = {}
    for key, weight in weights.items():
        for old, new in _PREFIXES:
            if key.startswith(old):
                teacher[new + key.removeprefix(old)] = weight
    return teacher


def load_segmentor(
    segmentor: nn.Module, checkpoint: str | os.PathLike
) -> dict[str, Any] | None:
    """Load ``checkpoint`` into any ``segmentor`` of mmseg's: all of it or none.

    It is a path, a URL, or the folder of a training, of which the best checkpoint is
    taken, else the newest.

    Returns:
        The file's class names and palette, if it has them.

    Raises:
        CheckpointError: it cannot be read, or does not fit; nothing was loaded then.
    """
    checkpoint = find_segmentor(checkpoint)
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    try:
        weights = teacher_weights(weights_of(content))
        _check(segmentor.state_dict(), weights)
    except CheckpointError as error:
        raise CheckpointError(f"cannot load '{checkpoint}': {error}") from error
    # Counters of old BatchNorm files may be missing; nothing else may.
    segmentor.load_state_dict(weights, strict=False)
    return dataset_meta_of(content)


def find_segmentor(checkpoint: str | os.PathLike) -> str:
    """Return the file or URL that :func:`load_segmentor` reads for ``checkpoint``.

    Raises:
        CheckpointError: there is no such file, or none in that folder.
    """
    name = os.fspath(checkpoint)
    if '://' in name:
        return name
    place = os.path.expanduser(name)
    return str((best_checkpoint if os.path.isdir(place) else find_checkpoint)(place))


def find_teacher(
    config: object, checkpoint: str | os.PathLike | None
) -> str | os.PathLike:
    """Return the file or URL of a teacher's weights.

    Args:
        config: of the teacher; its name is for the message.
        checkpoint: what was named, if anything.

    Raises:
        CheckpointError: none are named, or they are not there.
    """
    if checkpoint is None:
        named = isinstance(config, str | os.PathLike)
        name = f"'{config}'" if named else 'of the config'
        raise CheckpointError(
            f'the teacher {name} has no weights: name its file with --teacher FILE '
            '(custom_hooks: DistillationHook, checkpoint), or train without a teacher '
            'by --cfg-options model.siam=None'
        )
    return find_segmentor(checkpoint)


def best_checkpoint(folder: str | os.PathLike) -> Path:
    """Return the best checkpoint of a training in ``folder``, else its newest.

    Raises:
        CheckpointError: there is none.
    """
    folder = Path(folder)
    for pattern in ('best_*.pth', 'iter_*.pth'):
        found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
        if found:
            return found[-1]
    raise CheckpointError(
        f"folder '{folder}' holds no best_*.pth or iter_*.pth: name the work folder of "
        'a training, or the file itself'
    )


def _check(model: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    own = {k: v for k, v in model.items() if not k.startswith(_TRAINING_ONLY)}
    missing, unexpected, reshaped = compare(own, weights)
    if not (missing or unexpected or reshaped):
        return
    if reshaped and not missing and all('.conv_seg.' in k for k in reshaped):
        found, built = (len(d[reshaped[0]]) for d in (weights, model))
        raise CheckpointError(
            f'it has {found} classes and its config {built}: take a teacher that was '
            'trained on the same data set, or the config that this one was trained with'
        )
    if any('cfblock' in k or '.attn_l.' in k for k in unexpected):
        raise CheckpointError(
            'it holds an SCTNet, not this network: name another file, or the config '
            'that this one was trained with'
        )
    findings = list_misfits(missing, unexpected, reshaped)
    raise CheckpointError(
        f'it does not fit its config: {findings}: name the config that it was trained '
        'with'
    )
