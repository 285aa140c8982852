"""The heads of a segmentor, whatever lists they are in, and what they learn from."""

from typing import Any

from torch import nn


def heads_of(segmentor: Any) -> dict[str, Any]:
    """Return all decode and auxiliary heads by their names in the config.

    Such as ``decode_head`` and, of a list, ``auxiliary_head.0``; those that it has.
    """
    found: dict[str, Any] = {}
    for name in ('decode_head', 'auxiliary_head'):
        part = getattr(segmentor, name, None)
        if isinstance(part, nn.ModuleList):
            found |= {f'{name}.{i}': head for i, head in enumerate(part)}
        elif part is not None:
            found[name] = part
    return found


def label_count(part: Any) -> int:
    """Return the number of labels of a head or segmentor: they run from 0 up to it.

    One output channel tells two labels apart, by a sigmoid, whatever its
    ``num_classes`` says: mmseg takes 1 as well as 2.
    """
    return 2 if getattr(part, 'out_channels', None) == 1 else int(part.num_classes)
