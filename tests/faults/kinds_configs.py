"""Damaged configs and options, to the point where a Runner would begin."""

from pathlib import Path
from random import Random

from contract import Case, Place
from mutator import VALUES, mutate_text
from registry import kind
from stock import LEAF, TINY, Stock
from tool_call import tool_call

PARTS = (
    *('model.', 'train_', 'val_', 'test_', 'optim', 'param', 'default_', 'custom_'),
    *('env_', 'vis', 'log_', 'load_', 'resume', 'randomness', 'data_'),
)
LOOPS = {
    'sctnet.engine.train_loop.ResumableTrainLoop.run': lambda self: None,
    'sctnet.engine.train_loop.ResumableEpochTrainLoop.run': lambda self: None,
    'mmengine.runner.TestLoop.run': lambda self: {},
}


def damaged_config(rng: Random, place: Place, stock: Stock) -> tuple[Path, str, bool]:
    """Copy the configs, damage the leaf or a base of it; return the leaf's path."""
    texts = stock.configs
    names = [name for name in texts if not name.startswith('_base_')]
    leaf = rng.choice([*names, *[f'sctnet/{LEAF}.py'] * len(names)])
    bases = [name for name in texts if name.startswith('_base_')]
    target = leaf if rng.random() < 0.6 else rng.choice(bases)
    damaged, note = mutate_text(texts[target], rng)
    for name, text in texts.items():  # all: a leaf may be the base of another
        place.write(f'configs/{name}', damaged if name == target else text)
    path = place.inputs / 'configs' / leaf
    return path, f'{target}: {note}', damaged == texts[target]


@kind('config read', share=5)
def config_read(rng: Random, place: Place, stock: Stock) -> Case:
    """`load_config` of a damaged config, and the class names that it gives."""
    from sctnet.catalog import load_config

    path, note, sound = damaged_config(rng, place, stock)
    if rng.random() < 0.1:
        name = rng.choice(
            [str(path)[:-1], path.stem[:-3], '', '.', '..', None, 3, b'x']
        )
        return Case(lambda: load_config(name), f'name {name!r}')
    return Case(lambda: load_config(path), note, sound=sound)


@kind('config model', share=2.5)
def config_model(rng: Random, place: Place, stock: Stock) -> Case:
    """`init_model` of a damaged config."""
    from sctnet.apis import init_model

    path, note, sound = damaged_config(rng, place, stock)
    return Case(
        lambda: init_model(path, None, 'cpu', backend='torch'),
        note,
        sound=sound,
        config=True,
    )


@kind('config training', share=2.5)
def config_training(rng: Random, place: Place, stock: Stock) -> Case:
    """`sctnet train` with a damaged config, up to its first iteration."""
    path, note, sound = damaged_config(rng, place, stock)
    words = [path, *training_words(stock)]
    sound = sound and path.stem == LEAF
    call = tool_call('train', *words, stubs=LOOPS)
    return Case(call, note, tool=True, sound=sound, config=True)


def training_words(stock: Stock) -> list[str]:
    loaders = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    return [
        *('--data-root', str(stock.streets), '--work-dir', 'work', '--cfg-options'),
        *(f'{key}={value}' for key, value in TINY.items()),
        *(f'{loader}.num_workers=0' for loader in loaders),
    ]


@kind('options', share=5)
def options(rng: Random, place: Place, stock: Stock) -> Case:
    """`--cfg-options` with odd keys and values; half of them up to a training."""
    keys = [key for key in _keys(stock.config) if key.startswith(PARTS)]
    words = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        key, value = rng.choice(keys), rng.choice(VALUES)
        key = rng.choice([key, key, key, key[:-1], key + '.x', key + '.0', f'.{key}'])
        value = rng.choice([value, value, f'[{value}', f'"{value}"', f'{value},1'])
        words.append(
            rng.choice([f'{key}={value}'] * 8 + [key, f'{key}==', f'={value}'])
        )
    if rng.random() < 0.5:
        call = tool_call('train', LEAF, *training_words(stock), *words, stubs=LOOPS)
        return Case(call, ' '.join(words), tool=True, config=True)
    file = place.write('sound.pth', stock.weights['zip.pth'])
    call = tool_call('test', LEAF, file, *training_words(stock), *words, stubs=LOOPS)
    return Case(call, ' '.join(words), tool=True, config=True)


def _keys(cfg: object, prefix: str = '') -> list[str]:
    """Every dotted key of a config."""
    pairs = cfg.items() if hasattr(cfg, 'items') else enumerate(cfg)
    found = []
    for key, value in pairs:
        found.append(f'{prefix}{key}')
        if isinstance(value, dict | list) and not isinstance(value, str):
            found += _keys(value, f'{prefix}{key}.')
    return found
