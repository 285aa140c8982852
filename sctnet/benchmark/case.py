"""One thing to measure, as the command line names it, and the call that it becomes.

Three kinds. ``network`` runs a network on a random tensor, to logits at the tensor's
own size, as published FPS are counted. ``image`` takes an image in memory to its label
map, by mmseg's own functions or by ours. ``train`` takes a batch to updated weights.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ArgumentError

if TYPE_CHECKING:  # parsing a command line shall not import torch
    from torch import Tensor

    from .network import UpsampledNetwork
    from .stopwatch import Stopwatch

INT8 = 'onnxruntime+int8'  # of images alone
# What may follow the backend torch after a plus sign, and the option that it sets.
TORCH_OPTIONS: dict[str, tuple[str, Any]] = {
    'fp16': ('dtype', 'fp16'),
    'bf16': ('dtype', 'bf16'),
    'channels_last': ('channels_last', True),
    'compile': ('compile', True),
    'graphs': ('cuda_graphs', True),
}
IMAGE_SIZES = {  # of typical images of each data set, (height, width)
    'Cityscapes': [(1024, 2048)],
    'ADE20K': [(512, 683), (1000, 1500)],
    'COCO-Stuff 10k': [(480, 640)],
}
READABLE, SHORTCUTS, LOADER = 'readable', 'shortcuts', 'loader'
WAYS = (READABLE, SHORTCUTS, LOADER)  # to train; the last loads alone
TEACHER_OPTIONS: dict[str, tuple[str, Any]] = {
    'teacher-bf16': ('dtype', 'bf16'),
    'teacher-fp16': ('dtype', 'fp16'),
    'teacher-compile': ('compile', True),
}
TRAINING_OPTIONS = ('amp', 'channels_last', 'compile', *TEACHER_OPTIONS)


class Case(NamedTuple):
    """What is run, and on what."""

    model: str
    backend: str  # 'mmseg', 'torch+fp16', ...; to train 'shortcuts+amp', ...
    batch: int
    size: tuple[int, int]  # (height, width) of the tensor or of the image

    def __str__(self) -> str:
        height, width = self.size
        return f'{self.model} {self.backend} {self.batch}x{height}x{width}'


class Contender(NamedTuple):
    """A case that is ready to run."""

    call: Callable[[], object]
    network: 'UpsampledNetwork | None'  # whose parameters and operations count
    input_size: tuple[int, int]  # (height, width) of the network's input
    stopwatch: 'Stopwatch | None' = None
    labels: 'Callable[[], Tensor] | None' = None  # of what the last call returned
    loss: Callable[[], float | None] | None = None  # of the first call


def parse_backend(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``torch+fp16+graphs`` into the backend and its options.

    Raises:
        ArgumentError: an option is not known; the runtime checks the backend itself.
    """
    backend, *words = text.split('+')
    for word in words:
        if word not in TORCH_OPTIONS:
            raise ArgumentError(
                f"backend '{text}' has no option '{word}': expected some of "
                f'{", ".join(TORCH_OPTIONS)}, as in torch+channels_last+compile'
            )
        if backend != 'torch':
            raise ArgumentError(
                f"backend '{text}': what follows the plus sign is for torch alone"
            )
    return backend, dict(TORCH_OPTIONS[word] for word in words)


def parse_way(text: str) -> list[str]:
    """Return the options of a way to train, such as ``shortcuts+amp+channels_last``.

    Raises:
        ArgumentError: the way or an option is not known, or two do not go together.
    """
    way, *options = text.split('+')
    if way not in WAYS:
        raise ArgumentError(
            f"there is no way '{way}' to train: use {', '.join(WAYS)}, or one with "
            'options, as in shortcuts+amp+channels_last'
        )
    if {'teacher-bf16', 'teacher-fp16'} <= set(options):
        raise ArgumentError(f"'{text}': a teacher is in bf16 or in fp16, choose one")
    if options and way == LOADER:
        raise ArgumentError(f"'{text}': the loader has no options, use {LOADER}")
    for option in options:
        if option not in TRAINING_OPTIONS:
            raise ArgumentError(
                f"'{text}' has no option '{option}': expected some of "
                f'{", ".join(TRAINING_OPTIONS)}, as in shortcuts+amp+channels_last'
            )
    return options
