"""Zip archives: listed, checked, and read by member."""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

from ...errors import DataError, OutputError
from ...files import atomic_path


def list_files(archive: Path) -> list[zipfile.ZipInfo]:
    """Return the files of an archive, without what macOS adds.

    Raises:
        DataError: it is no whole zip archive, or has a member that would be unpacked
            elsewhere than below its folder.
    """
    infos = _open(archive).infolist()
    for info in infos:
        path = PurePosixPath(info.filename)
        outside = path.is_absolute() or '..' in path.parts
        if outside or '\\' in info.filename or ':' in info.filename.partition('/')[0]:
            raise DataError(
                f"'{archive}' has the member '{info.filename}', which leads out of its "
                'folder: take the archive from the publisher'
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise DataError(
                f"'{archive}' has the member '{info.filename}', a link: expected plain "
                'files; take the archive from the publisher'
            )
    return [
        info
        for info in infos
        if not info.is_dir()
        and not info.filename.startswith('__MACOSX/')
        and not info.filename.endswith('.DS_Store')
    ]


def read_member(archive: Path, name: str) -> bytes:
    """Return the bytes of a member, checked by its sum; raises DataError."""
    try:
        return _open(archive).read(name)
    except _DAMAGED as error:
        raise _damage(archive, name, error) from error


def unpack_member(archive: Path, name: str, target: Path) -> None:
    """Write a member to ``target``, whole or not at all.

    Raises:
        DataError: the member is damaged.
        OutputError: ``target`` cannot be written.
    """
    opened = _open(archive)
    with atomic_path(target) as temporary, temporary.open('wb') as file:
        try:
            with opened.open(name) as member:
                shutil.copyfileobj(member, file, 1 << 20)
        except _DAMAGED as error:
            raise _damage(archive, name, error) from error


_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    RuntimeError,  # encrypted
    NotImplementedError,  # a compression that Python does not have
)


def _damage(archive: Path, name: str, error: BaseException) -> DataError:
    return DataError(
        f"'{name}' in '{archive}' is damaged ({error}): download the archive again"
    )


@lru_cache(maxsize=4)
def _open(archive: Path) -> zipfile.ZipFile:
    """Open an archive, once in each process."""
    try:
        return zipfile.ZipFile(archive)
    except zipfile.BadZipFile as error:
        raise DataError(
            f"'{archive}' is truncated or no zip archive ({error}): download it again"
        ) from error
    except OSError as error:
        raise DataError(
            f"'{archive}' cannot be read ({error.strerror or error}): check the path"
        ) from error


def check_space(folder: Path, needed: int) -> None:
    """See that ``needed`` bytes fit on the disk of ``folder``.

    Raises:
        OutputError: they do not.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed > free:
        raise OutputError(
            f"unpacking needs {needed / 1e9:.1f} GB and '{place}' has {free / 1e9:.1f} "
            'GB free: make room, or name another folder with --out'
        )


def common_root(names: Sequence[str], landmark: str) -> str | None:
    """Return what stands before ``landmark`` in one of ``names``, or None."""
    for name in names:
        head, found, _ = f'/{name}'.partition(f'/{landmark}')
        if found:
            return head[1:] + '/' if head else ''
    return None
