"""How many images a second a recipe's loader gives, with all cores of a machine."""

import time
from functools import partial

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from ...catalog import load_config
from ...datasets.street_scenes import write_street_scenes
from ...engine.label_range import learnt_labels
from ...engine.launch import set_data_root
from ...engine.runner import Runner
from ...engine.seeded_dataset import seeded
from ...engine.stacking import stacking
from ...files import temporary_folder
from ..machine import count_cores
from .place import Facts, Place, Task, Tasks, quietly


def loader(place: Place) -> Tasks:
    """Load drawn scenes of Cityscapes' size, with the recipe's workers and with all."""
    init_default_scope('mmseg')
    recipes = place.pick(('sctnet-s-seg50', 'sctnet-b-seg100'), ('sctnet-t-streets',))
    size, scenes = place.pick(((2048, 1024), 16), ((256, 128), 4))
    with temporary_folder() as folder:
        data = str(write_street_scenes(folder / 'data', scenes, 1, size))
        for recipe in recipes:
            cfg = load_config(recipe)
            set_data_root(cfg, data)
            own, cores = cfg.train_dataloader.num_workers, count_cores()
            for workers in place.pick(sorted({own, cores}), [0]):
                case = f'{recipe}, {workers} workers'
                yield Task(case, 30, partial(_measure, place, cfg, workers))


def _measure(place: Place, cfg: Config, workers: int) -> Facts:
    options = {'num_workers': workers, 'persistent_workers': workers > 0}
    options = {**cfg.train_dataloader, **options}
    model = quietly(MODELS.build, cfg.model)
    options = seeded(stacking(options, model), labels=learnt_labels(model))
    batches = iter(Runner.build_dataloader(options, seed=0))
    for _ in range(place.pick(2, 0)):
        next(batches)
    count, start = place.pick(4 + 2 * workers, 1), time.perf_counter()
    loaded = sum(len(next(batches)['inputs']) for _ in range(count))
    speed = loaded / (time.perf_counter() - start)
    return {'workers': workers, 'images_a_second': round(speed, 1)}
