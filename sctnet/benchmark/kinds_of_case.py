"""Which function prepares the contenders of each kind of benchmark."""

from collections.abc import Callable

from .cases import Case, Contender, network_contender
from .images import image_contender
from .training import training_contender

BUILDERS: dict[str, Callable[[Case, str], Contender]] = {
    'network': network_contender,
    'image': image_contender,
    'train': training_contender,
}
