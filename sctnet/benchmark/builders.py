"""Which function makes a case ready to run, for each kind of benchmark."""

from collections.abc import Callable

from .case import LOADER, Case, Contender
from .image import image_contender
from .loading import loading_contender
from .network import network_contender
from .training import training_contender


def _train_or_load(case: Case, device: str) -> Contender:
    if case.backend.startswith(LOADER):
        return loading_contender(case)
    return training_contender(case, device)


BUILDERS: dict[str, Callable[[Case, str], Contender]] = {
    'network': network_contender,
    'image': image_contender,
    'train': _train_or_load,
}
