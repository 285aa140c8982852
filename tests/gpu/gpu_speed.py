"""What things cost on a GPU: an image, a network, the loading of a batch."""

import tempfile
import time

import torch
from gpu_place import Facts, Place, quietly
from mmengine.registry import init_default_scope

from sctnet.benchmark.case import Case
from sctnet.benchmark.image import image_contender
from sctnet.benchmark.network import network_contender
from sctnet.catalog import load_config
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine.launch import set_data_root
from sctnet.engine.runner import Runner

IMAGES = [
    ('sctnet-s-seg50', (1024, 2048)),
    ('sctnet-b-seg100', (1024, 2048)),
    ('sctnet-s-ade', (512, 683)),
]
NETWORKS = [
    *[(name, (512, 1024)) for name in ('sctnet-s-seg50', 'sctnet-b-seg50')],
    *[(name, (1024, 2048)) for name in ('sctnet-b-seg100', 'pidnet-s', 'stdc1')],
    *[(name, (512, 512)) for name in ('sctnet-s-ade', 'sctnet-b-ade')],
]
HALF = 'torch+fp16+channels_last'


def images(place: Place) -> Facts:
    """Time an image in memory to its label map; ours must be mmseg's labels."""
    limits = {'mmseg': 1.0, 'torch': 0.995, HALF: 0.98, f'{HALF}+graphs': 0.98}
    for model, size in place.pick(IMAGES, [('sctnet-s-ade', (64, 80))]):
        expected = None
        for backend in place.pick([*limits], ['mmseg', 'torch']):
            case = Case(model, backend, 1, size)
            contender = quietly(image_contender, case, place.device)
            facts = {'case': f'{model} {backend} {size}'}
            facts['ms'] = place.milliseconds(contender.call)
            found = contender.labels()
            expected = found if expected is None else expected
            equal = float((found == expected).double().mean())
            yield {**facts, 'equal_labels': equal, 'ok': equal >= limits[backend]}
            place.free()


def networks(place: Place) -> Facts:
    """Time networks alone; TF32 of convolutions is torch's default."""
    torch.backends.cudnn.benchmark = place.gpu
    ways = [('fp32', 'torch'), ('tf32', 'torch'), ('tf32', 'torch+graphs')]
    ways += [('fp16', HALF), ('fp16', f'{HALF}+graphs')]
    for model, size in place.pick(NETWORKS, [('fast-scnn', (64, 96))]):
        expected = None
        for precision, backend in place.pick(ways, ways[:1]):
            torch.backends.cudnn.allow_tf32 = precision != 'fp32'
            case = Case(model, backend, 1, size)
            call = quietly(network_contender, case, place.device).call
            found = call().argmax(1)
            expected = found if expected is None else expected
            equal = float((found == expected).double().mean())
            facts = {
                'case': f'{model} {size} {precision} {backend}',
                'ok': equal > 0.95,
            }
            yield {**facts, 'equal_labels': equal, 'ms': place.milliseconds(call)}
            place.free()
    torch.backends.cudnn.allow_tf32 = True


def loader(place: Place) -> Facts:
    """Count the images a second that the recipe's workers load."""
    init_default_scope('mmseg')
    recipe = place.pick('sctnet-s-seg50', 'sctnet-t-streets')
    cfg = load_config(recipe)
    with tempfile.TemporaryDirectory() as folder:
        size, scenes = place.pick(((2048, 1024), 16), ((256, 128), 4))
        set_data_root(cfg, str(write_street_scenes(f'{folder}/data', scenes, 1, size)))
        for workers in place.pick((4, 8, 16), (0,)):
            options = {'num_workers': workers, 'persistent_workers': workers > 0}
            options = {**cfg.train_dataloader, **options, 'pin_memory': place.gpu}
            batches = iter(Runner.build_dataloader(options, seed=0))
            for _ in range(place.pick(2, 0)):
                next(batches)
            count, start = place.pick(4 + 2 * workers, 1), time.perf_counter()
            loaded = sum(len(next(batches)['inputs']) for _ in range(count))
            speed = loaded / (time.perf_counter() - start)
            yield {'case': f'{recipe}, {workers} workers', 'images_a_second': speed}
            del batches
