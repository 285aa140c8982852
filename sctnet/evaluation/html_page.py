"""Writes a page from a template, as one HTML file that needs nothing beside it."""

import base64
import math
import os
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..files import write_bytes

_MIME = {b'\x89PNG': 'image/png', b'\xff\xd8\xff': 'image/jpeg'}


def write_page(template: str, path: str | os.PathLike, **values: Any) -> None:
    """Fill a template and write the page whole or not at all.

    All text is escaped. Pictures lie inside the file and nothing is fetched when it is
    opened, so that it can be mailed or kept.

    Args:
        template: a file in ``templates/``, such as ``'report.html'``.
        path: where the page goes.
        **values: of the names in the template; pictures are the bytes of PNG or JPEG.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    page = _environment().get_template(template).render(values)
    # A file's name may hold what is no Unicode.
    write_bytes(path, page.encode('utf-8', 'backslashreplace'))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader('sctnet.evaluation'),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(data_url=_data_url, number=_number)
    return environment


def _data_url(picture: bytes) -> str:
    """Return a picture as what an ``img`` takes for its source."""
    mime = next((m for magic, m in _MIME.items() if picture.startswith(magic)), None)
    if mime is None:
        raise ValueError('a picture of a page must be PNG or JPEG: encode it as one')
    return f'data:{mime};base64,{base64.b64encode(picture).decode()}'


def _number(value: float, digits: int = 2) -> str:
    """Return a number as it should be read; a dash for NaN."""
    return '–' if math.isnan(value) else f'{value:,.{digits}f}'  # noqa: RUF001
