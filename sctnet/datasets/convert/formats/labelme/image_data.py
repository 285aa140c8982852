"""Reading images that labelme saved inside its JSON files."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .....errors import DataError
from .....files import write_bytes
from ....images import decode_image
from ...annotated_images import ImageFile, Size
from ...annotation_files import read_json


@dataclass(frozen=True)
class EmbeddedImage(ImageFile):
    """The copy of an image inside a JSON file, which is read where it is needed.

    Attributes:
        path: of the JSON.
        kind: '.png' or '.jpg', as the image is.
    """

    kind: str

    @property
    def suffix(self) -> str:
        """Of the file to be written."""
        return self.kind

    def size(self) -> Size:
        """Decode the image; raises DataError, ImageError."""
        data = self._data()
        if self.kind == '.jpg' and data[:2] != b'\xff\xd8':
            raise DataError(
                f"the image inside '{self.path}' is neither PNG nor JPEG: put the "
                'image itself beside the file'
            )
        height, width = decode_image(data, f"image inside '{self.path}'").shape[:2]
        return height, width

    def place(self, target: Path, link: bool) -> None:
        """Write the image; there is nothing to link to."""
        write_bytes(target, self._data())

    def _data(self) -> bytes:
        return decode_base64(read_json(self.path).get('imageData'), f"'{self.path}'")


def decode_base64(text: Any, where: str) -> bytes:
    """Decode base64; raises a DataError that names ``where``."""
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, TypeError, ValueError) as error:
        raise DataError(
            f'{where} has pixels that are not in base64 ({error}): save it again in '
            'labelme'
        ) from error
