"""Command lines with words that nobody should type; what takes long is left out."""

import json
import subprocess
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from contract import Case, Place
from kinds_configs import LOOPS, training_words
from kinds_data import check, convert
from mutator import mutate_text, mutate_words
from registry import kind
from stock import LEAF, Stock
from tool_call import tool_call, without_weights

Words = list[Any]
Stubs = dict[str, Any]


def infer(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    source = place.write('colour.png', stock.images['colour.png'])
    if rng.random() < 0.3:
        source = place.write('short.mp4', stock.video)
    words = [source, '--checkpoint', 'x.pth', '--config', 'x', '--out-dir', 'results']
    words += rng.choice([[], ['--opacity', '0.5'], ['--max-frames', '2', '--fps', '9']])
    words += rng.choice([[], ['--save-labels'], ['--show'], ['--backend', 'torch']])
    return words, without_weights(stock.model)


def weights(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    source = place.write('sound.pth', stock.weights['zip.pth'])
    target = rng.choice(('new.pth', 'new.safetensors'))
    return [source, target, *rng.choice([[], ['--backbone']])], {}


def export(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    from sctnet.deploy.export import Agreement

    for i in range(4):
        place.write(f'images/{i}.png', stock.images['colour.png'])
    words = [LEAF, 'x.pth', rng.choice(('net.onnx', 'net.xml', 'net.engine'))]
    if rng.random() < 0.4:
        words += ['--precision', 'int8', '--calibration', place.inputs / 'images']
    else:
        words += ['--size', '64', '128', '--output', 'labels', '--normalise']
    agree, data = Agreement(1.0, 0.0), stock.exported
    here, int8 = 'sctnet.deploy.export', 'sctnet.deploy.int8'
    return words, {
        **without_weights(stock.model),
        f'{here}._check': lambda *args: agree,
        f'{here}._openvino_files': lambda path, data, precision: {path: data},
        f'{here}.build_onnx': lambda *args: data,
        f'{int8}.build_onnx': lambda *args: data,
        f'{int8}._quantise': lambda data, *_: data,
        f'{int8}.compare': lambda *args: agree,
    }


def scenes(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    def draw(seed: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)

    words = ['scenes', '--train', '2', '--val', '1', '--size', '128x64', '--seed', '3']
    here = 'sctnet.datasets.street_scenes.dataset'
    return words, {f'{here}.draw_scene': draw, f'{here}.MOST': 20}


def plot(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    lines = [{'step': i, 'decode.loss_ce': 1 / (i + 1), 'mIoU': 5} for i in range(4)]
    text = '\n'.join(map(json.dumps, lines))
    if rng.random() < 0.7:
        text, _ = mutate_text(text, rng)
    place.write('work/1/vis_data/scalars.json', text)
    return [place.inputs / 'work', '--out', 'curves.png'], {}


def train(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    words = [LEAF, *rng.choice([[], ['--amp'], ['--resume'], ['--teacher', 'x.pth']])]
    return [*words, *training_words(stock)], LOOPS


def test(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    file = place.write('sound.pth', stock.weights['zip.pth'])
    words = [
        LEAF,
        file,
        *rng.choice([[], ['--tta'], ['--show-dir', 's', '--out', 'o']]),
    ]
    return [*words, *training_words(stock)], LOOPS


def benchmark(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    name = rng.choice(('network', 'image', 'train'))
    way = ['--ways', 'shortcuts'] if name == 'train' else ['--backends', 'torch']
    words = [name, '--models', 'sctnet-s-ade', *way, '--size', '64', '64', '--batch']
    words += ['2', '--repeats', '1', '--warmup', '0', '--pause', '0', '--threads', '1']
    here = 'sctnet.benchmark.command'
    return words, {
        f'{here}.run_cases': lambda *args: [],
        f'{here}.write_views': lambda report, out: [],
    }


COMMANDS: dict[str, Callable[[Random, Place, Stock], tuple[Words, Stubs]]] = {
    one.__name__: one
    for one in (
        *(infer, weights, export, scenes, plot, train),
        *(test, benchmark, check, convert),
    )
}
FAST = (
    *('infer', 'weights', 'scenes', 'plot', 'benchmark'),
    *('check', 'convert'),
)


@kind('command line', share=13)
def command_line(rng: Random, place: Place, stock: Stock) -> Case:
    """A command with a damaged command line, in this process."""
    name = rng.choice((*COMMANDS, *FAST))
    words, stubs = COMMANDS[name](rng, place, stock)
    words = mutate_words([str(word) for word in words], rng)
    shown = ' '.join(word[:40] for word in (name, *words))
    return Case(tool_call(name, *words, stubs=stubs), shown, tool=True)


@kind('own process', share=0.05)
def own_process(rng: Random, place: Place, stock: Stock) -> Case:
    """A command with a damaged command line, as a shell starts it."""
    name = rng.choice(FAST[:4])
    words, _ = COMMANDS[name](rng, place, stock)
    words = mutate_words([str(word) for word in words], rng)

    def call() -> None:
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-m', 'sctnet', name, *words],
            capture_output=True,
            text=True,
            errors='replace',
            check=False,
            timeout=50,
        )
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)

    return Case(call, ' '.join(word[:40] for word in (name, *words)), tool=True)
