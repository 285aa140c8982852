"""One thing to measure, as the command line names it, and the call that it becomes.

Three kinds. ``network`` runs a network on a random tensor, to logits at the tensor's
own size, as published FPS are counted. ``image`` takes an image in memory to its label
map, by mmseg's own functions or by ours. ``train`` takes a batch to updated weights.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ArgumentError

if TYPE_CHECKING:  # parsing a command line shall not import torch
    from torch import Tensor, nn

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
READABLE, SHORTCUTS = 'readable', 'shortcuts'  # the ways to train
LOADER = 'loader'  # and what feeds them
LOADER_OPTIONS = ('store', 'crop')  # of faster_loader in a config
TEACHER_OPTIONS: dict[str, tuple[str, Any]] = {
    'teacher-bf16': ('dtype', 'bf16'),
    'teacher-fp16': ('dtype', 'fp16'),
    'teacher-compile': ('compile', True),
    'teacher-eager': ('graph', False),
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
    network: 'nn.Module | None'  # whose parameters and operations count
    input_size: tuple[int, int]  # (height, width) of the network's input
    stopwatch: 'Stopwatch | None' = None  # makes the same call and times its stages
    labels: 'Callable[[], Tensor] | None' = None  # of what the last call returned


def parse_backend(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``torch+fp16+graphs`` into the backend and its options.

    Raises:
        ArgumentError: an option is not known; the runtime checks the backend itself.
    """
    backend, options = _split(text, TORCH_OPTIONS)
    return backend, dict(TORCH_OPTIONS[option] for option in options)


def parse_way(text: str) -> list[str]:
    """Return the options of a way to train, such as ``shortcuts+amp+channels_last``.

    Raises:
        ArgumentError: the way or an option is not known.
    """
    known = LOADER_OPTIONS if text.startswith(LOADER) else TRAINING_OPTIONS
    way, options = _split(text, known)
    if way not in (READABLE, SHORTCUTS, LOADER):
        raise ArgumentError(
            f"there is no way '{way}' to train: use {READABLE}, {SHORTCUTS} or {LOADER}"
            ', also with options, as in shortcuts+amp+channels_last or '
            'loader+store+crop'
        )
    return options


def _split(text: str, known: Collection[str]) -> tuple[str, list[str]]:
    name, *options = text.split('+')
    for option in options:
        if option not in known:
            some = f'expected some of {", ".join(known)}, joined by plus signs'
            raise ArgumentError(
                f"'{text}' has no option '{option}': {some if known else 'it has none'}"
            )
    return name, options
