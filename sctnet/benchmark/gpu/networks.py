"""What inference costs on a GPU: networks alone, compiled ones, images to labels."""

import copy
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ...deploy.runtimes import Runtime
from ..case import SHORTCUTS, Case, parse_backend
from ..image import image_contender
from ..models import GROUPS, entries, find_entries
from ..network import build_network
from ..training import TrainingStep
from .place import Facts, Place, Task, Tasks, convolutions, quietly
from .steps import case_of

PEERS = ('pidnet-s', 'ddrnet23-slim', 'stdc1')
HALF = 'torch+fp16+channels_last'
WAYS = [  # float32 convolutions in TF32 or not, and what runs the network
    ('fp32', 'torch'),
    *(('tf32', 'torch'), ('tf32', 'torch+channels_last'), ('tf32', 'torch+graphs')),
    *(('fp16', HALF), ('fp16', f'{HALF}+graphs')),
]
COMPILED = [('fp16', f'{HALF}+compile'), ('fp16', f'{HALF}+compile+graphs')]
COMPILED_STEPS = ('amp+channels_last+compile', 'amp+teacher-compile')
FIRST = ('sctnet-s-seg50', 'sctnet-b-seg100')  # of those that are compiled
IMAGES = [
    ('sctnet-s-seg50', (1024, 2048)),
    ('sctnet-b-seg100', (1024, 2048)),
    ('sctnet-s-ade', (512, 683)),
]
TINY = 'fast-scnn', (64, 96)


class Subject:
    """A network with random weights, an input for it, and its labels in float32."""

    def __init__(self, place: Place, name: str) -> None:
        size = place.pick(entries()[name].published.size, TINY[1])
        self.place, self.case = place, Case(name, '', 1, size)
        self.network = quietly(build_network, name)
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(1, 3, *size, generator=generator)
        self.images = images.to(place.device)
        with convolutions(place, tf32=False):
            self.expected = self._runtime('torch')(self.images).argmax(1)

    def _runtime(self, backend: str) -> Runtime:
        name, options = parse_backend(backend)
        network = copy.deepcopy(self.network)  # which is converted in place
        return Runtime(network, name, self.place.device, **options)

    def tasks(self, ways: Sequence[tuple[str, str]], needs: float) -> Tasks:
        """Yield a task for each precision and backend of ``ways``."""
        for precision, backend in ways:
            with convolutions(self.place, tf32=precision == 'tf32'):
                case = str(self.case._replace(backend=f'{precision} {backend}'))
                measure = partial(self._measure, precision, backend)
                yield Task(case, needs, measure)

    def _measure(self, precision: str, backend: str) -> Facts:
        run = self._runtime(backend)
        first = self.place.seconds_of(lambda: run(self.images))
        equal = (run(self.images).argmax(1) == self.expected).double().mean().item()
        times = self.place.time(lambda: run(self.images))
        published = entries()[self.case.model].published
        return {
            'model': self.case.model,
            'way': f'{precision} {backend}',
            'size': self.case.size,
            **times,
            'images_a_second': round(1e3 / max(times['in_a_row_ms'], 1e-3), 1),
            'first_call_s': round(first, 2),
            'equal_labels_share': equal,
            'published_miou_percent': published.miou,
            'dataset': published.dataset,
            'ok': equal > 0.95,
        }


def networks(place: Place) -> Tasks:
    """Time networks alone at their published sizes, compiled ones at the end."""
    ours = [entry.name for entry in find_entries(GROUPS) if entry.published.ours]
    for name in place.pick([*ours, *PEERS], [TINY[0]]):
        ways = [way for way in WAYS if place.gpu or 'graphs' not in way[1]]
        yield from Subject(place, name).tasks(place.pick(ways, ways[:3]), 5)
    for name in place.pick(ours, []):
        if name not in FIRST:
            yield from Subject(place, name).tasks(COMPILED[:1], 60)


def compiled(place: Place) -> Tasks:
    """Time what ``torch.compile`` makes of two networks and of a training step.

    In small nothing is compiled, though all goes the same way.
    """
    torch.compiler.set_stance('force_eager' if place.small else 'default')
    try:
        for name in place.pick(FIRST, TINY[:1]):
            ways = place.pick(COMPILED, [('fp32', 'torch+compile')])
            yield from Subject(place, name).tasks(ways, 60)
        for options in COMPILED_STEPS:
            model = place.pick('sctnet-s-seg50', 'sctnet-t-streets')
            case = case_of(place, model, f'{SHORTCUTS}+{options}')
            with convolutions(place, tf32=True):
                yield Task(str(case), 60, partial(_compiled_step, place, case))
    finally:
        torch.compiler.set_stance('default')


def _compiled_step(place: Place, case: Case) -> Facts:
    step = quietly(TrainingStep, case, place.device)
    first = place.seconds_of(step)
    times = place.time(step, seconds=1)
    speed = 1e3 * case.batch / max(times['in_a_row_ms'], 1e-3)
    facts = {'first_call_s': round(first, 2), 'images_a_second': round(speed, 1)}
    return {**times, **facts}


def images(place: Place) -> Tasks:
    """Time an image in memory to its label map; ours must be mmseg's labels."""
    limits = {'mmseg': 1.0, 'torch': 0.995, HALF: 0.98, f'{HALF}+graphs': 0.98}
    for model, size in place.pick(IMAGES, [('sctnet-s-ade', (64, 80))]):
        expected: list[Tensor] = []
        for backend in place.pick([*limits], ['mmseg', 'torch']):
            case = Case(model, backend, 1, size)
            measure = partial(_measure_image, place, case, expected, limits[backend])
            with convolutions(place, tf32=True):
                yield Task(str(case), 10, measure)


def _measure_image(
    place: Place, case: Case, expected: list[Tensor], limit: float
) -> Facts:
    """Time a contender, and compare its labels with those of the first."""
    contender = quietly(image_contender, case, place.device)
    times = place.time(contender.call)
    assert contender.labels is not None
    expected.append(contender.labels())
    equal = float((expected[-1] == expected[0]).double().mean())
    return {**times, 'equal_labels_share': equal, 'ok': equal >= limit}
