"""What a data set is taken for, and how it is asked where two readings are possible."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Asks a question with its choices and the option that answers; returns a choice.
Ask = Callable[[str, Mapping[str, str], str], str]


def json_files(count: int) -> str:
    """Return the number of files in words."""
    return '1 JSON file' if count == 1 else f'{count} JSON files'


@dataclass
class Recognised:
    """What a data set is taken for.

    Attributes:
        format_name: of :data:`sctnet.datasets.convert.formats.FORMATS`; None where the
            folder is used as it lies, ``images/train`` beside ``labels/train``.
        source: what that format's reader takes.
        said: the sentence.
        options: of the reader.
    """

    format_name: str | None
    source: Path
    said: str
    options: dict[str, Any] = field(default_factory=dict)
