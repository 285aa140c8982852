"""Points of annotations, before a library draws them."""

import math
from typing import Any

from ...errors import DataError

FARTHEST = 100_000  # pixels; libraries overflow far beyond


def as_points(values: Any) -> list[tuple[float, float]]:
    """Turn pairs of numbers into points (x, y).

    Raises:
        DataError: they are no pairs of finite numbers, or lie absurdly far outside.
    """
    try:
        points = [(float(x), float(y)) for x, y in values]
    except (TypeError, ValueError) as error:
        raise DataError(
            'a shape has points that are no pairs of numbers: draw it again'
        ) from error
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            raise DataError(
                f'a shape has the point ({x}, {y}), expected finite numbers: draw it '
                'again'
            )
        if max(abs(x), abs(y)) > FARTHEST:
            raise DataError(
                f'a shape has the point ({x:g}, {y:g}), more than {FARTHEST} pixels '
                'off: coordinates are in pixels; draw it again'
            )
    return points
