"""Weight files of whole segmentors: finding one, and loading it into any model."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from ..errors import CheckpointError
from .fit import check_weights, is_sctnet
from .key_map import rename_all, settle_training_only, teacher_weights
from .safe_files import dataset_meta_of, find_checkpoint, read_checkpoint, weights_of


def load_segmentor(
    segmentor: nn.Module, checkpoint: str | os.PathLike
) -> dict[str, Any] | None:
    """Load ``checkpoint`` into any ``segmentor``, mmseg's or ours: all of it or none.

    Args:
        segmentor: training-only parts may be missing in it or in the file. The teacher
            is taken from a student's file that carries it, unless the segmentor is an
            SCTNet itself.
        checkpoint: a path, a URL, or the work folder of a training, of which
            :func:`best_checkpoint` is taken, as the log says.

    Returns:
        The file's class names and palette, if it has them.

    Raises:
        CheckpointError: it cannot be read, or does not fit; nothing was loaded then.
    """
    file = find_segmentor(checkpoint)
    content = CheckpointLoader.load_checkpoint(file, map_location='cpu')
    try:
        weights = whole_weights(segmentor, weights_of(content), segmentor.state_dict())
    except CheckpointError as error:
        raise CheckpointError(f"cannot load '{file}': {error}") from error
    # Counters of old BatchNorm files may be missing; nothing else may.
    segmentor.load_state_dict(weights, strict=False)
    return dataset_meta_of(content)


def whole_weights(
    segmentor: nn.Module, weights: Mapping[str, Tensor], own: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return ``weights`` under the names of ``segmentor``, which they fit whole.

    Training-only parts may be missing in either; those that a file lacks are taken from
    ``own``, the segmentor's state dict.

    Raises:
        CheckpointError: they do not fit.
    """
    weights = dict(weights) if is_sctnet(own) else teacher_weights(weights)
    rename_all(segmentor, weights)
    settle_training_only(weights, '', own)
    check_weights(own, weights)
    return weights


def find_segmentor(checkpoint: str | os.PathLike) -> str:
    """Return the file or URL that is read for ``checkpoint``.

    Of a work folder it is the best checkpoint, else the newest, and it says which.

    Raises:
        CheckpointError: there is no such file, or none in that folder.
    """
    name = os.fspath(checkpoint)
    if '://' in name:
        return name
    place = os.path.expanduser(name)
    if not os.path.isdir(place):
        return str(find_checkpoint(place))
    found = best_checkpoint(place)
    print_log(f"of '{name}' the checkpoint '{found}' is taken", 'current')
    return str(found)


def best_checkpoint(folder: str | os.PathLike) -> Path:
    """Return the best checkpoint of the last training in ``folder``, else its newest.

    An earlier training may have left a best one of its own: which one is the last
    training's stands in its newest checkpoint.

    Raises:
        CheckpointError: there is none.
    """
    folder = Path(folder)
    files = [
        path
        for pattern in ('best_*.pth', 'iter_*.pth', 'epoch_*.pth')
        for path in folder.glob(pattern)
    ]
    if not files:
        raise CheckpointError(
            f"folder '{folder}' holds no best_*.pth, iter_*.pth or epoch_*.pth: name "
            'the work folder of a training, or the file itself'
        )
    files.sort(key=lambda path: path.stat().st_mtime)
    bests = [path for path in files if path.name.startswith('best_')]
    if not bests or files[-1] == bests[-1]:
        return files[-1]
    recorded = _recorded_bests(files[-1])
    if recorded is None:
        return bests[-1]
    return next((p for p in reversed(bests) if p.name in recorded), files[-1])


def _recorded_bests(checkpoint: Path) -> set[str] | None:
    """Names of the best files of a checkpoint's own training; None if it cannot say."""
    try:
        info = read_checkpoint(checkpoint)['message_hub']['runtime_info']
    except (CheckpointError, KeyError, TypeError):
        return None
    return {
        os.path.basename(str(info[key])) for key in info if key.startswith('best_ckpt')
    }
