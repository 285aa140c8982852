"""What a config names: by a string, or by the class itself."""

from collections.abc import Mapping
from typing import Any


def kind_of(config: Mapping[str, Any]) -> str:
    """Return the last part of the name of what ``config['type']`` builds, or ''."""
    kind = config.get('type', '')
    return (kind if isinstance(kind, str) else kind.__name__).rpartition('.')[2]
