"""Writes the page of a data set's check: counts, faulty samples, overlays, sizes."""

import os
from collections import Counter
from typing import Any

import numpy as np

from ..datasets.check.checker import CheckResult
from ..datasets.check.faults import KINDS
from ..datasets.check.report import verdict
from .dataset_pictures import draw_overlays, draw_samples
from .html_page import write_page

_LISTED = 500  # faults; the JSON has them all
_SIZES = 20  # of each part


def write_dataset_page(
    result: CheckResult, title: str, path: str | os.PathLike
) -> None:
    """Write what a check found as one HTML page.

    Args:
        result: of :func:`sctnet.datasets.check.check_config`.
        title: the page's heading.
        path: where it goes; written whole or not at all.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    counts = Counter(fault.kind for fault in result.faults)
    write_page(
        'dataset.html',
        path,
        title=title,
        result=result,
        verdict=verdict(result),
        kinds=[(kind, count, *KINDS[kind]) for kind, count in counts.items()],
        samples=list(draw_samples(result)),
        overlays=list(draw_overlays(result)),
        classes=result.parts[0].classes if result.parts else [],
        palette=result.parts[0].palette if result.parts else [],
        columns=[_column(result, part.name) for part in result.parts],
        sizes=[
            (part.name, *size, count)
            for part in result.parts
            for size, count in result.shares[part.name].sizes.most_common(_SIZES)
        ],
        most=_LISTED,
    )


def _column(result: CheckResult, part: str) -> dict[str, Any]:
    """What the table of classes says of a part: three lists of a number a class."""
    share = result.shares[part]
    percent = 100 * share.pixels / max(1, share.pixels.sum())
    return {
        'part': part,
        'percent': percent.tolist(),
        'width': (100 * np.log1p(percent) / np.log1p(100)).tolist(),
        'images': share.images.tolist(),
    }
