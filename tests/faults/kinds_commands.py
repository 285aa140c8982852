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
from kinds_data import check_dataset, convert_dataset
from mutator import mutate_text, mutate_words
from registry import kind
from stock import LEAF, REPOSITORY, Stock
from tool_call import tool_call

Words = list[Any]
Stubs = dict[str, Any]


def infer(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    source = place.write('colour.png', stock.images['colour.png'])
    if rng.random() < 0.3:
        source = place.write('short.mp4', stock.video)
    words = [source, '--checkpoint', 'x.pth', '--config', 'x', '--out-dir', 'results']
    words += rng.choice([[], ['--opacity', '0.5'], ['--max-frames', '2', '--fps', '9']])
    words += rng.choice([[], ['--save-labels'], ['--show'], ['--backend', 'torch']])
    return words, {'.init_model': lambda *args, **options: stock.model}


def convert_checkpoint(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
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
        '.init_model': lambda *args, **options: stock.model,
        f'{here}._check': lambda *args: agree,
        f'{here}._openvino_files': lambda path, data, precision: {path: data},
        f'{here}.build_onnx': lambda *args: data,
        f'{int8}.build_onnx': lambda *args: data,
        f'{int8}._quantise': lambda data, images: data,
        f'{int8}.compare': lambda *args: agree,
    }


def make_street_scenes(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
    def draw(seed: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)

    words = ['scenes', '--train', '2', '--val', '1', '--size', '128x64', '--seed', '3']
    here = 'sctnet.datasets.street_scenes.dataset'
    return words, {f'{here}.draw_scene': draw, f'{here}.MOST': 20}


def plot_log(rng: Random, place: Place, stock: Stock) -> tuple[Words, Stubs]:
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


TOOLS: dict[str, Callable[[Random, Place, Stock], tuple[Words, Stubs]]] = {
    one.__name__: one
    for one in (
        *(infer, convert_checkpoint, export, make_street_scenes, plot_log, train),
        *(test, benchmark, check_dataset, convert_dataset),
    )
}
FAST = (
    *('infer', 'convert_checkpoint', 'make_street_scenes', 'plot_log', 'benchmark'),
    *('check_dataset', 'convert_dataset'),
)


@kind('command line', share=13)
def command_line(rng: Random, place: Place, stock: Stock) -> Case:
    """A tool with a damaged command line, in this process."""
    name = rng.choice((*TOOLS, *FAST))
    words, stubs = TOOLS[name](rng, place, stock)
    words = mutate_words([str(word) for word in words], rng)
    shown = ' '.join(word[:40] for word in (name, *words))
    return Case(tool_call(f'{name}.py', *words, stubs=stubs), shown, tool=True)


@kind('own process', share=0.05)
def own_process(rng: Random, place: Place, stock: Stock) -> Case:
    """A tool with a damaged command line, as a shell starts it."""
    name = rng.choice(FAST[:4])
    words, _ = TOOLS[name](rng, place, stock)
    words = mutate_words([str(word) for word in words], rng)
    tool = REPOSITORY / 'tools' / f'{name}.py'

    def call() -> None:
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', tool, *words],
            capture_output=True,
            text=True,
            errors='replace',
            check=False,
            timeout=50,
        )
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)

    return Case(call, ' '.join(word[:40] for word in (name, *words)), tool=True)
