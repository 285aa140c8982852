"""Where half precision will not do."""

from torch import Tensor


def full_precision(x: Tensor) -> Tensor:
    """Return ``x`` in float32 if it is in half precision, else as it is."""
    return x.float() if x.element_size() < 4 else x
