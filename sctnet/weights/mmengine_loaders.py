"""Our safe reader behind mmengine's ``CheckpointLoader``.

So mmseg's ``init_model``, the Runner (``load_from``, resume, test) and ``init_cfg`` all
get the same files opened and the same errors.
"""

from pathlib import Path
from typing import Any

import torch

from ..errors import CheckpointError
from .safe_files import Checkpoint, MapLocation, read_checkpoint


# mmengine logs these functions' names after 'load_from_'.
def load_from_local(filename: str, map_location: MapLocation) -> Checkpoint:
    """Read a file, as :func:`read_checkpoint` does."""
    return read_checkpoint(filename, map_location)


def load_from_http(
    url: str, map_location: MapLocation = 'cpu', **kwargs: Any
) -> Checkpoint:
    """Download ``url`` into torch's hub cache, once, and read it as safely as a file.

    Raises:
        CheckpointError: the download failed, or as for :func:`read_checkpoint`.
    """
    from mmengine.dist import barrier, get_local_rank

    folder = Path(kwargs.get('model_dir') or Path(torch.hub.get_dir()) / 'checkpoints')
    file = folder / url.partition('?')[0].rpartition('/')[2]
    try:
        if get_local_rank() == 0 and not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(file))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"cannot download '{url}' ({error}): check the address and the connection, "
            'or download it by hand and name the file'
        ) from error
    finally:
        barrier()  # also after a failure, or the other processes would wait for ever
    return read_checkpoint(file, map_location)


def register_loaders() -> None:
    """Let every checkpoint that mmengine loads be read by this module."""
    from mmengine.runner import checkpoint as mmengine_checkpoint

    loader = mmengine_checkpoint.CheckpointLoader
    loader.register_scheme('', load_from_local, force=True)
    loader.register_scheme(['http://', 'https://'], load_from_http, force=True)
    # torchvision:// and openmmlab:// call this function by its global name, and
    # torch.hub, which it used, would unpickle whatever the address sends.
    mmengine_checkpoint.load_from_http = load_from_http
