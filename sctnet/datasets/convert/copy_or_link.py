"""Copies of files, and links to them, that appear whole or not at all."""

import os
import shutil
from pathlib import Path

from ...errors import DataError, OutputError
from ...files import atomic_path


def copy_file(source: Path, target: Path) -> None:
    """Copy the bytes of ``source``.

    Raises:
        DataError: ``source`` cannot be read.
        OutputError: ``target`` cannot be written.
    """
    try:
        opened = source.open('rb')
    except OSError as error:
        raise DataError(
            f"'{source}' cannot be read ({error.strerror}): check the path"
        ) from error
    with opened, atomic_path(target) as temporary, temporary.open('wb') as file:
        shutil.copyfileobj(opened, file)


def link_file(source: Path, target: Path) -> None:
    """Make ``target`` a hard link to ``source``, or across disks a symbolic one.

    ``atomic_path`` is not for links: it sets a mode, which the original would get.

    Raises:
        OutputError: neither kind of link can be made.
    """
    original = source.resolve()
    temporary = target.with_name(f'.{target.name}.link')
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        try:
            os.link(original, temporary)
        except OSError:
            os.symlink(original, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"cannot link '{target}' ({error.strerror or error}): leave out --link"
        ) from error
    finally:  # replacing a link to the same file leaves both
        temporary.unlink(missing_ok=True)
