"""How many different labels a head, or a segmentor, can learn from."""

from typing import Any


def label_count(part: Any) -> int:
    """Return the number of labels of a head or segmentor: they run from 0 up to it.

    One output channel tells two labels apart, by a sigmoid, whatever its
    ``num_classes`` says: mmseg takes 1 as well as 2.
    """
    return 2 if getattr(part, 'out_channels', None) == 1 else int(part.num_classes)
