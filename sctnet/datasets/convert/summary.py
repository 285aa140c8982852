"""Lines that the command prints after a conversion."""

import re
from collections.abc import Mapping, Sequence

from ..images import amount
from .annotated_images import PARTS, Noted
from .converted import Converted

_ONE = '^(image|mask|shape|polygon|pixel|task|annotation|region|segment)s '
_MOST = 50  # broken files that are named on the terminal; dataset.json has them all


def counted(result: Converted) -> str:
    """Say how many images each part has: ``8 training and 2 validation``."""
    words = dict(zip(PARTS, ('training', 'validation', 'test'), strict=True))
    listed = [f'{result.images[p]} {words[p]}' for p in PARTS if result.images[p]]
    return ' and '.join(listed)


def report_left_out(result: Converted) -> list[str]:
    """Return lines: what was decided, what was left out and why, what is empty."""
    lines = [*result.said]
    for reason, count in sorted(result.skipped.items()):
        example = result.examples.get(reason)
        such = f", such as '{example}'" if example else ''
        word = 'noted' if isinstance(reason, Noted) else 'skipped'
        if count == 1 and ' are ' not in reason:
            reason = re.sub(_ONE, r'\1 ', reason)
        lines.append(f'{word}: {count} {reason}{such}')
    if result.empty:
        lines.append(
            f'all background: {amount(len(result.empty), "image")} without annotation, '
            f"such as '{result.empty[0]}' (--skip-empty leaves them out)"
        )
    pixels = dict(zip(result.classes, result.pixels.tolist(), strict=False))
    return lines + without_pixels(pixels)


def without_pixels(pixels: Mapping[str, int]) -> list[str]:
    """Return a line on the classes of which no pixel was counted, if there are some."""
    empty = [name for name, count in pixels.items() if not count]
    said = any(pixels.values()) and empty
    return [f'without a single pixel: {", ".join(empty)}'] if said else []


def report_failed(failed: Sequence[str]) -> list[str]:
    """Return one line for each broken file, up to a limit, and how many more."""
    lines = [f'broken: {sentence}' for sentence in failed[:_MOST]]
    if len(failed) > _MOST:
        lines.append(f'broken: {len(failed) - _MOST} more')
    return lines
