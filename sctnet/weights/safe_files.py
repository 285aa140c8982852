"""Reading and writing weight files safely."""

import errno
import io
import json
import os
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import CheckpointError, OutOfMemoryError, is_out_of_memory
from ..files import atomic_path

Checkpoint = dict[str, Any]
MapLocation = Any


def read_checkpoint(
    path: str | os.PathLike, map_location: MapLocation = 'cpu'
) -> Checkpoint:
    """Read a ``.pth`` or ``.safetensors`` file without running any code it carries.

    Args:
        path: the file; ``~`` is expanded.
        map_location: as for :func:`torch.load`.

    Returns:
        What the file holds. Always a dict; a safetensors file comes back as
        ``{'state_dict': ..., 'meta': ...}``.

    Raises:
        CheckpointError: the file is missing, truncated, not a checkpoint, or
            carries code.
    """
    file = find_checkpoint(path)
    if file.suffix.lower() in ('.onnx', '.xml', '.engine'):
        raise CheckpointError(
            f"'{file}' is an exported network, which sctnet infer and init_model run: "
            'name the weights that it was made of here'
        )
    if file.suffix == '.safetensors':
        return _read_safetensors(file, map_location)
    return _read_torch(file, map_location)


def find_checkpoint(path: str | os.PathLike) -> Path:
    """Return the file ``path``; ``~`` is expanded.

    Raises:
        CheckpointError: there is none.
    """
    file = Path(os.path.expanduser(path))
    if os.path.isdir(file):
        raise CheckpointError(
            f"checkpoint '{file}' is a folder: name the .pth or .safetensors file in it"
        )
    if not os.path.isfile(file):
        raise CheckpointError(f"checkpoint '{file}' does not exist: check the path")
    if file.suffix == '.py':
        raise CheckpointError(f"'{file}' is a config: name a .pth or .safetensors file")
    return file


def _read_torch(file: Path, map_location: MapLocation) -> Checkpoint:
    try:
        with warnings.catch_warnings():
            # Other pickle protocols are read or refused like any; no need to warn.
            warnings.filterwarnings('ignore', message='Detected pickle protocol')
            checkpoint = torch.load(file, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise _explain_unpickling(file, error) from error
    except OSError as error:
        _check_memory(file, error)
        if error.errno == errno.EINVAL:  # how torch meets the cut in a large archive
            raise _damaged(file) from error
        raise CheckpointError(
            f"checkpoint '{file}' cannot be read ({error.strerror or error}): check "
            'its permissions'
        ) from error
    except Exception as error:
        _check_memory(file, error)
        # torch reports damage as RuntimeError, EOFError, KeyError, struct.error, ...
        raise _damaged(file) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(
            f"'{file}' is not a checkpoint: expected a dict of weights, found "
            f'{type(checkpoint).__name__}; name a .pth or .safetensors weight file'
        )
    return checkpoint


def _check_memory(file: Path, error: Exception) -> None:
    """Raise where a sound ``file`` met too little memory."""
    asked = re.search(r'tried to allocate (\d+) bytes', str(error))
    size = file.stat().st_size
    # A damaged file may ask for more than it can hold.
    if is_out_of_memory(error) and not (asked and int(asked.group(1)) > 2 * size):
        raise OutOfMemoryError(
            f"the memory is full, and '{file}' ({size / 2**20:.0f} MiB) was being "
            'read: end what else uses it, or load the file on a larger machine'
        ) from error


def _explain_unpickling(file: Path, error: Exception) -> CheckpointError:
    # torch words it by case: 'Unsupported global: GLOBAL a.b', 'unsupported GLOBAL
    # a.b whose module a is blocked', 'Unsupported class a.b'.
    found = re.search(
        r'(?:unsupported (?:global:? ?|class )+|unrecognized function )(\S+)',
        str(error),
        re.IGNORECASE,
    )
    if found:
        name = found.group(1)
        return CheckpointError(
            f"checkpoint '{file}' carries code ({name}) and was refused; nothing "
            'in it was run: ask its author for a file of tensors only, such as '
            'sctnet weights writes'
        )
    return _damaged(file)


def _damaged(file: Path) -> CheckpointError:
    return CheckpointError(
        f"'{file}' is truncated or not a checkpoint ({file.stat().st_size:,} bytes): "
        'download or copy it again and compare its size with the source, or name '
        'another file'
    )


def _read_safetensors(file: Path, map_location: MapLocation) -> Checkpoint:
    device = map_location if isinstance(map_location, (str, torch.device)) else 'cpu'
    try:
        with safe_open(file, framework='pt', device=str(device)) as handle:
            weights = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118
            meta = handle.metadata() or {}
    except (SafetensorError, OSError, RuntimeError, MemoryError) as error:
        _check_memory(file, error)
        raise _damaged(file) from error
    meta = {key: _parse_json(value) for key, value in meta.items()}
    return {'meta': meta, 'state_dict': weights}


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def weights_of(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the state dict inside ``checkpoint``, which may be one itself.

    Raises:
        CheckpointError: there are no tensors in it.
    """
    for key in ('state_dict', 'model'):
        if isinstance(checkpoint.get(key), Mapping):
            checkpoint = checkpoint[key]
            break
    weights = {
        key: value
        for key, value in checkpoint.items()
        if isinstance(key, str) and isinstance(value, Tensor)
    }
    for key, value in weights.items():
        if value.layout != torch.strided or value.is_meta:
            raise CheckpointError(
                f"its weight '{key}' is sparse, or a shape without values: save plain "
                'tensors, or name another file'
            )
    if not weights:
        raise CheckpointError(
            'it holds no weights: expected a state dict, or a dict with one under '
            "'state_dict'; name another file"
        )
    if all(key.startswith('module.') for key in weights):  # saved inside DDP
        weights = {key.removeprefix('module.'): v for key, v in weights.items()}
    return weights


def dataset_meta_of(checkpoint: Mapping[str, Any]) -> dict[str, Any] | None:
    """Class names and palette, plain tuple and lists, or None where it has none.

    Reads mmengine's ``meta['dataset_meta']`` and mmcv 1.x's ``meta['CLASSES']`` and
    ``meta['PALETTE']``. Names that are no strings, and colours that are no colours,
    count as none: weights do not depend on them.
    """
    meta = checkpoint.get('meta')
    if not isinstance(meta, Mapping):
        return None
    found = meta.get('dataset_meta')
    if not isinstance(found, Mapping) or not _names(found.get('classes')):
        found = {'classes': meta.get('CLASSES'), 'palette': meta.get('PALETTE')}
    classes = _names(found['classes'])
    if not classes:
        return None
    return {**found, 'classes': classes, 'palette': _colours(found.get('palette'))}


def _names(value: Any) -> tuple[str, ...] | None:
    named = isinstance(value, list | tuple) and all(isinstance(x, str) for x in value)
    return tuple(value) if named else None


def _colours(palette: Any) -> list[list[int]] | None:
    """RGB of each class; numpy arrays and tuples too, by who wrote the file."""
    try:
        colours = [[int(value) for value in colour] for colour in palette]
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    plain = all(len(c) == 3 and min(c) >= 0 and max(c) <= 255 for c in colours)
    return colours or None if plain else None


def write_checkpoint(
    path: str | os.PathLike, weights: Mapping[str, Tensor], meta: Mapping[str, Any]
) -> None:
    """Write ``weights`` and ``meta`` as ``.pth`` or ``.safetensors``, atomically.

    Raises:
        CheckpointError: the file's ending is neither.
        OutputError: the file cannot be written.
    """
    suffix = Path(path).suffix
    if suffix not in ('.pth', '.safetensors'):
        raise CheckpointError(
            f"cannot tell the format of '{path}': let its name end in .pth or "
            '.safetensors'
        )
    tensors = {key: value.detach().cpu().contiguous() for key, value in weights.items()}
    with atomic_path(path) as temporary:
        try:
            if suffix == '.pth':
                # Not to the file: torch's own writer hides what the disk says.
                buffer = io.BytesIO()
                torch.save({'meta': dict(meta), 'state_dict': tensors}, buffer)
                temporary.write_bytes(buffer.getbuffer())
            else:
                text = {key: json.dumps(value) for key, value in meta.items()}
                save_file(tensors, temporary, metadata=text)
        except (RuntimeError, SafetensorError) as error:  # what a full disk gives
            raise OSError(str(error).splitlines()[0]) from error
