"""What an exported file says of itself, so that it can be used without its config."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from mmengine.config import Config

from .. import __version__
from ..errors import CheckpointError

KEY = 'sctnet'
LAYOUTS = {
    'normalised': 'float32 (N, 3, H, W), RGB, (value - mean) / std',
    'bgr': 'uint8 (N, H, W, 3), BGR',
}


@dataclass
class Metadata:
    """Everything needed to go from an image to named labels.

    ``resize`` holds mmseg's ``scale`` (width, height) and ``keep_ratio``, or is None
    where the pipeline does not resize; ``images`` is a key of :data:`LAYOUTS`.
    """

    config: str
    classes: list[str]
    palette: list[list[int]]
    mean: list[float]
    std: list[float]
    resize: dict[str, Any] | None
    images: str
    output: str
    precision: str
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
            return cls(**values)
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"'{name}' does not say what it is: expected a file that "
                'tools/export.py wrote; pass its config to init_model as well'
            ) from error


def pipeline_of(resize: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return a test pipeline with that resize."""
    steps: list[dict[str, Any]] = [{'type': 'LoadImageFromFile'}]
    if resize is not None:
        scale = tuple(resize['scale'])
        steps.append({'type': 'Resize', **resize, 'scale': scale})
    return [*steps, {'type': 'PackSegInputs'}]


def resize_of(cfg: Config) -> dict[str, Any] | None:
    """Return scale and keep_ratio of the test pipeline's ``Resize``, if it has one."""
    for step in cfg.get('test_pipeline') or ():
        kind = step['type'] if isinstance(step['type'], str) else step['type'].__name__
        if kind == 'Resize':
            scale, keep_ratio = step.get('scale'), step.get('keep_ratio', False)
            return {'scale': list(scale), 'keep_ratio': keep_ratio}
    return None
