"""Whether training, tests and inference read the same bands in the same order."""

from collections.abc import Iterator

from mmengine.config import Config

from ..compat.config_types import kind_of
from ..datasets.from_config import LOADERS, image_loader, named_datasets
from ..errors import ConfigError


def check_band_order(cfg: Config) -> None:
    """See that either all pipelines read by ``LoadBands`` or none, and none swaps them.

    Raises:
        ConfigError: some do, or the data preprocessor would swap R and B.
    """
    readers = dict(_readers(cfg))
    bands = [place for place, kind in readers.items() if kind == 'LoadBands']
    others = [place for place in readers if place not in bands]
    if not bands:
        return
    if others:
        raise ConfigError(
            f'{bands[0]} reads by LoadBands and {others[0]} by {readers[others[0]]}, '
            'of 8 bits and three colours: let all pipelines, test_pipeline and '
            'tta_pipeline too, begin with the same'
        )
    preprocessor = cfg.model.get('data_preprocessor') or {}
    swaps = preprocessor.get('bgr_to_rgb') or preprocessor.get('rgb_to_bgr')
    if swaps and (cfg.model.get('backbone') or {}).get('in_channels', 3) == 3:
        raise ConfigError(
            'LoadBands gives the bands in the order of the file, R, G, B, and the data '
            'preprocessor would swap them: set model.data_preprocessor.bgr_to_rgb=False'
        )


def _readers(cfg: Config) -> Iterator[tuple[str, str]]:
    """Yield the place of each pipeline with the step that reads its images."""
    pipelines = {'test_pipeline': cfg.get('test_pipeline')}
    # What is no config of a data set is told where loaders are checked.
    loaders = [
        name
        for name in LOADERS.values()
        if isinstance((cfg.get(name) or {}).get('dataset'), dict)
    ]
    for place, dataset in named_datasets(cfg, loaders).items():
        pipelines[f'{place}.pipeline'] = dataset.get('pipeline')
    for place, steps in pipelines.items():
        if step := image_loader(steps):
            yield place, kind_of(step)
