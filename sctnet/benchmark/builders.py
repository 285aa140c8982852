"""Which function makes a case ready to run, for each kind of benchmark."""

from collections.abc import Callable

from .case import Case, Contender
from .image import image_contender
from .network import network_contender
from .training import training_contender

BUILDERS: dict[str, Callable[[Case, str], Contender]] = {
    'network': network_contender,
    'image': image_contender,
    'train': training_contender,
}
