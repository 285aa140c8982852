"""The members of a tar archive, read as Python's ``zipfile`` reads those of a zip."""

import gzip
import io
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from ...errors import OutputError

SUFFIXES = ('.tar', '.tgz', '.tar.gz')


class TarMembers:
    """Gives access to any member at any time, which several threads may use.

    A compressed archive can be read from its beginning only, so that it is decompressed
    to a temporary file first.

    Args:
        path: of the archive, compressed by gzip or not.

    Raises:
        tarfile.TarError: it is none, or is cut off.
        EOFError, zlib.error: the compressed archive is cut off or damaged.
        OSError: the file cannot be read.
        OutputError: there is no room for the temporary file.
    """

    def __init__(self, path: Path) -> None:
        file: BinaryIO = path.open('rb')
        if file.read(2) == b'\x1f\x8b':
            file = _decompressed(file)
        file.seek(0)
        self._lock = Lock()
        self._tar = tarfile.open(fileobj=file, mode='r:')  # noqa: SIM115
        self._infos = {info.name: info for info in self._tar.getmembers()}
        # Cut off between two members, it reads as a whole one but for this block.
        file.seek(self._tar.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError('unexpected end of data')

    def infolist(self) -> list[zipfile.ZipInfo]:
        """List all members; what is neither file nor folder counts as a link."""
        return [*map(_as_of_zip, self._infos.values())]

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; raises tarfile.TarError."""
        with self._lock:
            file = self._tar.extractfile(self._infos[name])
            return file.read() if file else b''

    def open(self, name: str) -> BinaryIO:
        """Return a file to read from; raises tarfile.TarError."""
        return io.BytesIO(self.read(name))


def _as_of_zip(info: tarfile.TarInfo) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(info.name + '/' * info.isdir())
    found.file_size = info.size
    if not (info.isfile() or info.isdir()):
        found.external_attr = stat.S_IFLNK << 16
    return found


def _decompressed(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    target = tempfile.TemporaryFile()  # noqa: SIM115
    with gzip.open(file) as source:
        while block := source.read(1 << 20):
            try:
                target.write(block)
            except OSError as error:
                raise OutputError(
                    f"'{file.name}' does not fit, decompressed, into the temporary "
                    f"folder '{tempfile.gettempdir()}' ({error.strerror}): make room, "
                    'or name another folder with the variable TMPDIR'
                ) from error
    return target
