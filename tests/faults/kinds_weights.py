"""Damaged and odd weight files, and exported ones."""

import io
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from contract import Case, Place
from mutator import mutate_bytes
from registry import kind
from stock import Stock
from tool_call import tool_call

ODD = (
    *(None, 0, -1, 1.5, 'x', '', b'x', True, [], {}, (), [1], {'a': 1}, {b'k': 1}),
    *({1: 2}, float('nan'), 10**30, np.float64(1), [[]], {'classes': 3}),
    *({'classes': ['a'], 'palette': [[1]]}, {'classes': [None] * 19}),
    *({'classes': ['a'] * 19, 'palette': ['red'] * 19}, {'classes': {'a': 1}}),
    *({'classes': ['a'] * 19, 'palette': 'x'}, {'CLASSES': 5, 'PALETTE': [3]}),
)


def damaged_weights(stock: Stock, rng: Random, place: Place) -> tuple[Path, str, bool]:
    """Write a damaged weight file; return path, what was done, whether it is sound."""
    if rng.random() < 0.4:
        content, note = _odd_content(stock, rng)
        buffer = io.BytesIO()
        torch.save(content, buffer)
        return place.write('odd.pth', buffer.getvalue()), f'odd: {note}', False
    name = rng.choice(sorted(stock.weights))
    data, note, suffix = stock.weights[name], 'sound', Path(name).suffix
    way = rng.randrange(12)
    if way == 0:
        suffix, note = rng.choice(('.pth', '.safetensors', '.pt', '')), 'other suffix'
    elif way < 11:
        data, note = mutate_bytes(data, rng)
    path = place.write(f'{Path(name).stem}{suffix}', data)
    return path, f'{name}: {note}', note == 'sound'


def _odd_content(stock: Stock, rng: Random) -> tuple[Any, str]:
    """A checkpoint that torch can save and nobody should have."""
    content = stock.checkpoint
    weights = content['state_dict']
    name = rng.choice(sorted(weights))
    way, odd = rng.randrange(12), rng.choice((*ODD, torch.ones(2)))
    if way == 0:
        return odd, f'the whole is {odd!r:.40}'
    if way == 1:
        content['state_dict'] = odd
    elif way == 2:
        content['meta'] = odd
    elif way == 3:
        content['meta']['dataset_meta'] = odd
    elif way == 4:
        weights[name] = odd
    elif way == 5:
        weights[rng.choice([name.encode(), 3, None, 'x', '', 'module.' + name])] = (
            weights.pop(name)
        )
    elif way == 6:
        shape = rng.choice([(0,), (), (1,), (3, 3), (1, 1, 1, 1, 1)])
        weights[name] = torch.zeros(shape)
    elif way == 7:
        kinds = [torch.int8, torch.bool, torch.complex64, torch.float16, torch.float64]
        weights[name] = weights[name].to(rng.choice(kinds))
    elif way == 8:
        weights[name] = torch.full_like(weights[name].float(), float('nan'))
    elif way == 9:
        tensor = torch.eye(3).to_sparse()
        weights[name] = rng.choice([tensor, torch.empty(2, device='meta')])
    elif way == 10:
        return {'model': odd, 'state_dict': {'x': content}}, 'nested'
    else:
        for key in rng.sample(sorted(weights), rng.randint(1, len(weights))):
            del weights[key]
    return content, f'way {way}, {name}, {odd!r:.40}'


@kind('weights read', share=12)
def weights_read(rng: Random, place: Place, stock: Stock) -> Case:
    """`read_checkpoint` and what reads its content: weights, names, state to resume."""
    from sctnet.engine.checkpoint_hook import check_resumable, newest_checkpoint
    from sctnet.weights.safe_files import dataset_meta_of, read_checkpoint, weights_of

    path, note, sound = damaged_weights(stock, rng, place)
    resumes = rng.random() < 0.5 and not sound

    def call() -> None:
        content = read_checkpoint(path)
        dataset_meta_of(content)
        weights_of(content)
        if resumes:
            check_resumable(path)

    def resume() -> None:
        renamed = path.rename(path.with_name('iter_1.pth'))
        try:
            newest_checkpoint(place.inputs)
        finally:
            renamed.rename(path)

    if rng.random() < 0.1 and path.suffix == '.pth':
        return Case(resume, note)
    return Case(call, note, sound=sound)


@kind('weights loaded', share=4)
def weights_loaded(rng: Random, place: Place, stock: Stock) -> Case:
    """`init_model` with a damaged weight file."""
    from sctnet.apis import init_model

    path, note, sound = damaged_weights(stock, rng, place)

    def call() -> None:
        init_model(stock.config, path, 'cpu', backend='torch')

    return Case(call, note, sound=sound)


@kind('teacher loaded', share=2)
def teacher_loaded(rng: Random, place: Place, stock: Stock) -> Case:
    """`load_segmentor`, as for a teacher, with a damaged weight file."""
    from sctnet.weights.segmentor_files import load_segmentor

    path, note, sound = damaged_weights(stock, rng, place)
    model = stock.model
    before = {k: v.clone() for k, v in model.state_dict().items()}

    def call() -> None:
        try:
            load_segmentor(model, path)
        finally:
            model.load_state_dict(before)

    return Case(call, note, sound=sound)


@kind('weights converted', share=5)
def weights_converted(rng: Random, place: Place, stock: Stock) -> Case:
    """`sctnet weights` on a damaged weight file."""
    path, note, sound = damaged_weights(stock, rng, place)
    target = rng.choice(('new.pth', 'new.safetensors', 'a/b/new.pth', 'new.onnx', path))
    words = [path, target, *(['--backbone'] if rng.random() < 0.2 else [])]
    case = Case(tool_call('weights', *words), note, tool=True)
    case.sound = sound and target not in ('new.onnx', path)
    return case


@kind('exported file', share=4)
def exported_file(rng: Random, place: Place, stock: Stock) -> Case:
    """`init_model` and a segmentation with a damaged ONNX file."""
    from sctnet.apis import inference_model, init_model

    data, note = stock.exported, 'sound'
    way = rng.randrange(8)
    if way == 0:
        data, note = _odd_metadata(data, rng)
    elif way < 7:
        data, note = mutate_bytes(data, rng)
    path = place.write('net.onnx', data)
    image = np.zeros((64, 64, 3), np.uint8)

    def call() -> None:
        inference_model(init_model(path, device='cpu', threads=1), image)

    return Case(call, note, sound=note == 'sound')


def _odd_metadata(data: bytes, rng: Random) -> tuple[bytes, str]:
    import json

    import onnx

    from sctnet.deploy.metadata import KEY

    model = onnx.load_from_string(data)
    values = json.loads(next(p.value for p in model.metadata_props if p.key == KEY))
    name = rng.choice(sorted(values))
    odd = rng.choice([None, 0, 'x', [], {}, [1], [[1]], [{}], [{'type': 'No'}], -1])
    values[name] = odd
    if rng.random() < 0.2:
        del values[name]
    onnx.helper.set_model_props(model, {KEY: json.dumps(values)})
    return model.SerializeToString(), f'metadata {name}={odd!r}'
