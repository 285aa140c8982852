"""Reading published archives, zip or tar, and making files of their members."""

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ...errors import DataError, OutputError
from ...files import atomic_path, write_bytes
from ..convert.write_pair import write_label_map
from .tar_members import SUFFIXES, TarMembers

Draw = Callable[[bytes, str], np.ndarray | bytes]  # what a member holds, its name

_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    KeyError,
    RuntimeError,  # encrypted
    NotImplementedError,  # a compression that Python does not have
)


class Archive:
    """A zip or tar archive, which several threads may read.

    One whose members would be unpacked outside of its folder is refused.

    Args:
        path: of the file.

    Attributes:
        sizes: of each file's name, its bytes; without what macOS adds.

    Raises:
        DataError: it cannot be read, is damaged, or is unsafe.
        OutputError: there is no room to decompress it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        kind = 'tar' if path.name.lower().endswith(SUFFIXES) else 'zip'
        try:
            self._members: zipfile.ZipFile | TarMembers
            self._members = (TarMembers if kind == 'tar' else zipfile.ZipFile)(path)
        except OutputError:
            raise
        except _DAMAGED as error:
            raise DataError(
                f"'{path}' is truncated or no {kind} archive ({error}): download it "
                'again'
            ) from error
        except OSError as error:
            raise DataError(
                f"'{path}' cannot be read ({error.strerror or error}): check the path"
            ) from error
        self.sizes: dict[str, int] = {}
        for info in self._members.infolist():
            self._check_member(info)
            name = info.filename
            of_macos = name.startswith('__MACOSX/') or name.endswith('.DS_Store')
            of_macos |= PurePosixPath(name).name.startswith('._')
            if not info.is_dir() and not of_macos:
                self.sizes[name] = info.file_size

    def __str__(self) -> str:
        return str(self.path)

    def head_of(self, landmark: str) -> str | None:
        """Return what stands before ``landmark`` in a name, '' or 'x/', else None."""
        for name in self.sizes:
            head, found, _ = f'/{name}'.partition(f'/{landmark}')
            if found:
                return head[1:] + '/' if head else ''
        return None

    def read(self, name: str) -> bytes:
        """Return the bytes of a member, checked by its sum; raises DataError."""
        with self._damage(name):
            return self._members.read(name)

    def unpack(self, name: str, target: Path) -> None:
        """Write a member to ``target``, whole or not at all.

        Raises:
            DataError: the member is damaged.
            OutputError: ``target`` cannot be written.
        """
        with (
            atomic_path(target) as temporary,
            temporary.open('wb') as file,
            self._damage(name),
            self._members.open(name) as member,
        ):
            shutil.copyfileobj(member, file, 1 << 20)

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        path = PurePosixPath(name)
        outside = path.is_absolute() or '..' in path.parts
        if outside or '\\' in name or ':' in name.partition('/')[0]:
            raise DataError(
                f"'{self}' has the member '{name}', which leads out of its folder: "
                'take the archive from the publisher'
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise DataError(
                f"'{self}' has the member '{name}', a link: expected plain files; take "
                'the archive from the publisher'
            )

    @contextmanager
    def _damage(self, name: str) -> Iterator[None]:
        try:
            yield
        except _DAMAGED as error:
            raise DataError(
                f"'{name}' in '{self}' is damaged ({error}): download the archive again"
            ) from error


@dataclass(frozen=True)
class Job:
    """Unpacks a member, or makes another file of what it holds.

    Attributes:
        archive: with the member.
        name: of the member.
        target: file to be written.
        draw: makes a label map, uint8 (H, W), or the bytes of another file; None
            unpacks as it is.
    """

    archive: Archive
    name: str
    target: Path
    draw: Draw | None = None

    def is_done(self) -> bool:
        """Whether the target is there; as it appears whole, it is complete.

        Raises:
            OutputError: something else is there.
        """
        if not self.target.exists():
            return False
        size, found = self.archive.sizes[self.name], self.target.stat().st_size
        if not self.target.is_file() or (self.draw is None and found != size):
            raise OutputError(
                f"'{self.target}' is there and is not what '{self.archive}' holds "
                f'({found} bytes instead of {size}): delete it, or name another '
                'folder with --out'
            )
        return True

    def run(self) -> None:
        """Write the target, whole or not at all; raises DataError, OutputError."""
        if self.draw is None:
            self.archive.unpack(self.name, self.target)
        else:
            made = self.draw(self.archive.read(self.name), self.name)
            if isinstance(made, bytes):
                write_bytes(self.target, made)
            else:
                write_label_map(self.target, made)


def free_space(folder: Path) -> int:
    """Return the free bytes on the disk of a folder, which need not exist."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def check_space(folder: Path, needed: int, what: str = 'unpacking') -> None:
    """See that ``needed`` bytes fit on the disk of ``folder``; raises OutputError."""
    free = free_space(folder)
    if needed > free:
        raise OutputError(
            f"{what} needs {needed / 1e9:.1f} GB and the disk of '{folder}' has "
            f'{free / 1e9:.1f} GB free: make room, or name another folder with --out'
        )
