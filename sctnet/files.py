"""Writing files whole or not at all, and finding them."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import DataError, OutputError, SCTNetError


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
        with _writing(path):
            target = Path(os.path.realpath(path))
            if target.exists() and not target.is_file():  # root could replace /dev/null
                raise OutputError(
                    f"'{path}' is there and is no file: name another path"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            name = f'.{target.stem}-{uuid.uuid4().hex[:8]}{target.suffix}'
            temporary = target.with_name(name)
            temporary.touch(exist_ok=False)
            yield temporary
            os.replace(temporary, target)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a hidden folder beside ``path`` that takes its place on success.

    ``path`` is new, or an empty folder, and stays so until the block has ended without
    an error. What a killed process left of such a block is removed.

    Raises:
        OutputError: ``path`` holds something or cannot be replaced, or the folder
            cannot be made.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f'.{target.name}.unfinished')
    with _writing(path):
        if target.exists() and not target.is_dir():
            raise OutputError(f"'{path}' is a file: name a new folder")
        if target.is_dir() and any(target.iterdir()):
            raise OutputError(
                f"'{path}' is not empty: name a new folder, or delete this one"
            )
        if target.is_mount() or target == Path.cwd():
            raise OutputError(f"'{path}' cannot be replaced: name a new folder in it")
        if temporary.exists():
            shutil.rmtree(temporary)
        temporary.mkdir(parents=True)
    try:
        yield temporary
        with _writing(path):
            if target.exists():  # not every system replaces an empty folder
                target.rmdir()
            os.replace(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _writing(
    path: str | os.PathLike,
    remedy: str = 'choose a folder that exists, is writable and has space left',
) -> Iterator[None]:
    """Turn what the system says about writing to ``path`` into an OutputError."""
    try:
        yield
    except SCTNetError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write '{path}' ({error.strerror or error}): {remedy}"
        ) from error


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that is removed afterwards.

    Raises:
        OutputError: it cannot be made or written, or its disk is full.
    """
    remedy = 'make room there, or let TMPDIR name another folder'
    with (
        _writing(tempfile.gettempdir(), remedy),
        tempfile.TemporaryDirectory() as folder,
    ):
        yield Path(folder)


def write_bytes(path: str | os.PathLike, data: bytes | memoryview) -> None:
    """Write ``data`` to ``path`` atomically; raises :class:`OutputError`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def find_files(folder: Path, suffixes: str | tuple[str, ...]) -> list[Path]:
    """Return the files below ``folder`` that end in one of ``suffixes``, sorted.

    Case does not matter, links are followed, but not round in a circle; hidden files
    and folders are left out.

    Raises:
        DataError: there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder '{folder}': check the path")
    suffixes = (suffixes,) if isinstance(suffixes, str) else suffixes
    small = tuple(suffix.lower() for suffix in suffixes)
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [
            name
            for name in folders
            if not name.startswith('.') and not _leads_back(folder, Path(place, name))
        ]
        found += [
            Path(place, name)
            for name in names
            if name.lower().endswith(small) and not name.startswith('.')
        ]
    return sorted(found)


def _leads_back(root: Path, folder: Path) -> bool:
    """Whether a folder below ``root`` is a link to one that it lies in."""
    if not folder.is_symlink():
        return False
    if folder.parent.resolve().is_relative_to(folder.resolve()):
        return True
    above = [root, *(path for path in folder.parents if path.is_relative_to(root))]
    return folder.resolve() in {path.resolve() for path in above}


def check_writable(folder: str | os.PathLike, option: str) -> None:
    """Make ``folder`` and see that files can be written into it.

    Args:
        folder: which.
        option: of the command line, that names another one.

    Raises:
        OutputError: they cannot.
    """
    with _writing(folder, f'name another folder with {option}'):
        Path(folder).mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, 'no permission to write')
