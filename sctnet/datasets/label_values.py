"""What mmseg makes of the values of a label map, and what those of predictions are."""

from collections.abc import Mapping

import numpy as np

# What the label maps of predictions may hold (--labels), and what that is.
WRITTEN = {
    'index': 'class indices, 0 to K-1',
    'dataset': "the values of the data set's own label maps",
    'cityscapes': "Cityscapes' labelIds, 7 to 33",
    'ade20k': 'the values of ADE20K, 1 to 150',
}


def label_values(
    reduce_zero_label: bool, label_map: Mapping[int, int] | None
) -> np.ndarray:
    """Return, of each of the 256 stored bytes, the label that LoadAnnotations gives.

    Args:
        reduce_zero_label: whether 0 is to ignore and the classes begin at 1.
        label_map: new labels of old ones, as a data set with chosen classes has them.

    Returns:
        uint8 (256,).
    """
    stored = np.arange(256)
    seen = stored.copy()
    if reduce_zero_label:
        seen = np.where((stored == 0) | (stored == 255), 255, stored - 1)
    reduced = seen.copy()
    for old, new in (label_map or {}).items():
        seen[reduced == old] = new
    return seen.astype(np.uint8)
