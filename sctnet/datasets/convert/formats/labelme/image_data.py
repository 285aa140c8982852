"""Images that labelme saved inside its JSON files."""

import base64
import binascii
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from .....errors import DataError, ImageError
from .....files import write_bytes
from ...annotated_images import Size
from ...options import read_json


@dataclass(frozen=True)
class EmbeddedImage:
    """The copy of an image inside a JSON file, read where it is needed.

    Attributes:
        file: the JSON.
        suffix: '.png' or '.jpg', as the image is.
    """

    file: Path
    suffix: str

    def __str__(self) -> str:
        return str(self.file)

    def size(self) -> Size:
        """Decode the image to its height and width, turned as its camera says."""
        try:
            with Image.open(io.BytesIO(self._data())) as image:
                width, height = ImageOps.exif_transpose(image).size
                kind = image.format
        except DataError:
            raise
        except Exception as error:
            raise ImageError(
                f"the image inside '{self.file}' cannot be decoded ({error}): save the "
                'file again in labelme'
            ) from error
        if kind not in (('PNG',) if self.suffix == '.png' else ('JPEG', 'MPO')):
            raise ImageError(
                f"the image inside '{self.file}' is {kind}: expected PNG or JPEG; put "
                'the image itself beside the file'
            )
        return height, width

    def place(self, target: Path, link: bool) -> None:
        """Write the image; there is nothing to link to."""
        write_bytes(target, self._data())

    def _data(self) -> bytes:
        return decode_base64(read_json(self.file).get('imageData'), f"'{self.file}'")


def decode_base64(text: Any, where: str) -> bytes:
    """Decode base64; raises a DataError that names ``where``."""
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, TypeError, ValueError) as error:
        raise DataError(
            f'{where} has pixels that are not in base64 ({error}): save it again in '
            'labelme'
        ) from error
