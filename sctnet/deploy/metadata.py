"""What an exported file says of itself (classes, normalisation), as JSON inside it."""

import json
import math
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from mmengine.config import Config
from mmseg.registry import TRANSFORMS

from .. import __version__
from ..compat.config_types import kind_of
from ..datasets.from_config import image_loader
from ..datasets.transforms import LoadBands
from ..errors import ArgumentError, CheckpointError

KEY = 'sctnet'
LAYOUTS = {
    'normalised': 'float32 (N, C, H, W), (value - mean) / std, of LoadBands in the '
    'order of bands; else C is 3, RGB if rgb or BGR',
    'bgr': 'uint8 (N, H, W, 3), BGR',
}
PICTURE, BANDS = 'LoadImageFromFile', LoadBands.__name__


@dataclass
class Metadata:
    """Everything needed to go from an image to named labels.

    ``pipeline`` holds the steps of the test pipeline between reading and packing, with
    their types as names; ``rgb`` says whether OpenCV's BGR is reversed before it is
    normalised; ``size`` is the fixed (height, width) of the input, if it is fixed;
    ``images`` is a key of :data:`LAYOUTS`. ``load`` is :data:`PICTURE`, or
    :data:`BANDS`, which takes ``bands`` of a file in that order, None for all;
    ``value_range`` holds the least and the largest values of each band, as they were
    trained on, where that is known.
    """

    config: str
    classes: list[str]
    palette: list[list[int]]
    mean: list[float]
    std: list[float]
    rgb: bool
    pipeline: list[dict[str, Any]]
    size: list[int] | None
    images: str
    output: str
    precision: str
    load: str = PICTURE
    bands: list[int] | None = None
    value_range: list[list[float]] | None = None
    version: str = __version__

    def to_json(self) -> str:
        """Return the text that goes into the file, under :data:`KEY`."""
        return json.dumps({**asdict(self), 'input': LAYOUTS[self.images]})

    @classmethod
    def from_json(cls, text: str | None, name: str) -> 'Metadata':
        """Read it back.

        Raises:
            CheckpointError: the file ``name`` has none, or one that is damaged.
        """
        try:
            values = json.loads(text or '')
            del values['input']
            found = cls(**values)
            found._check()
            return found
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            AssertionError,
        ) as error:
            raise CheckpointError(
                f"'{name}' does not say what it is: expected a file that this version "
                'of sctnet export wrote; export it again'
            ) from error

    def _check(self) -> None:
        """Raise ValueError, TypeError or KeyError for what no export writes."""
        names = [self.config, self.output, self.precision, *self.classes]
        count, ends = len(self.mean), self.value_range
        numbers = [*self.mean, *self.std, *chain(*(ends or ()))]
        sound = (
            isinstance(self.classes, list)
            and self.classes
            and all(isinstance(name, str) for name in names)
            and isinstance(self.palette, list)
            and all(len(bytes(colour)) == 3 for colour in self.palette)
            and len(self.std) == count > 0
            and self.load in (PICTURE, BANDS)
            and (count == 3 or self.load == BANDS)
            and (self.bands is None or len(self.bands) == count)
            and (ends is None or [len(end) for end in ends] == [count] * 2)
            and all(math.isfinite(number) for number in numbers)
            and all(self.std)
            and isinstance(self.rgb, bool)
            and self.images in LAYOUTS
            and (self.size is None or len(self.size) == 2)
            and all(isinstance(side, int) and side > 0 for side in self.size or ())
        )
        if not sound:
            raise ValueError('a value is out of its range')
        for step in self.test_pipeline():
            _build(step)

    def test_pipeline(self) -> list[dict[str, Any]]:
        """Return the test pipeline; of a fixed size, a resize to it."""
        steps = [_tuples(step) for step in self.pipeline]
        if self.size is not None:
            steps = [{'type': 'Resize', 'scale': tuple(self.size[::-1])}]
        load: dict[str, Any] = {'type': self.load}
        if self.bands is not None:
            load['bands'] = tuple(self.bands)
        return [load, *steps, {'type': 'PackSegInputs'}]


def plain_steps(cfg: Config) -> list[dict[str, Any]]:
    """Return the steps of ``cfg.test_pipeline`` between reading and packing.

    Raises:
        ArgumentError: one cannot be written as JSON.
    """
    steps = []
    for step in cfg.get('test_pipeline') or ():
        kind = kind_of(step)
        if kind.startswith('Load') or kind == 'PackSegInputs':
            continue
        try:
            steps.append(json.loads(json.dumps({**step, 'type': kind})))
        except TypeError as error:
            raise ArgumentError(
                f'the step {kind} of the test pipeline cannot be written into a file '
                f'({error}): give it numbers, words and lists alone'
            ) from error
    return steps


def loader_of(cfg: Config) -> dict[str, Any]:
    """Return ``load``, ``bands`` and ``value_range`` of a config."""
    step = image_loader(cfg.get('test_pipeline'))
    if kind_of(step) != BANDS:
        return {}
    bands, ends = step.get('bands'), cfg.get('value_range')
    return {
        'load': BANDS,
        'bands': None if bands is None else list(bands),
        'value_range': None if ends is None else [list(end) for end in ends],
    }


def _build(step: dict[str, Any]) -> None:
    """Try a step; a dotted name, there or further in, could run any code."""
    TRANSFORMS.import_from_location()
    known = {**TRANSFORMS.module_dict, **getattr(TRANSFORMS.parent, 'module_dict', {})}
    arguments = {name: value for name, value in step.items() if name != 'type'}
    if step['type'] not in known or '"type"' in json.dumps(arguments):
        raise ValueError(f'{step["type"]} is no plain step of a test pipeline')
    TRANSFORMS.build(step)


def _tuples(value: Any) -> Any:
    """Turn the lists of JSON back into tuples, which mmseg's transforms want."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
