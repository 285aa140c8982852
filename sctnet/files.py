"""Writing files whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import OutputError, SCTNetError


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place on success.

    Whatever happens inside the block, ``path`` holds either what it held before or
    the complete new file; missing parent folders are made. A link stays, and what it
    leads to is replaced.

    Raises:
        OutputError: the folder cannot be made or written, the disk is full, or
            ``path`` is there and is no file.
    """
    temporary = None
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():  # root could replace /dev/null
            raise OutputError(f"'{path}' is there and is no file: name another path")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f'.{target.stem}-', suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except SCTNetError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write '{path}' ({error.strerror or error}): choose a folder "
            'that exists, is writable and has space left'
        ) from error
    finally:
        if temporary is not None and temporary.exists():
            temporary.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that is removed afterwards.

    Raises:
        OutputError: it cannot be made or written, or its disk is full.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    except SCTNetError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write into '{tempfile.gettempdir()}' ({error.strerror or error}): "
            'make room there, or let TMPDIR name another folder'
        ) from error


def write_bytes(path: str | os.PathLike, data: bytes | memoryview) -> None:
    """Write ``data`` to ``path`` atomically; raises :class:`OutputError`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
