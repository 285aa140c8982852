import json

import cv2
import numpy as np
import pytest

from sctnet.benchmark import training
from sctnet.benchmark.command import write_views
from sctnet.benchmark.image import STAGES
from sctnet.benchmark.markdown import to_markdown
from sctnet.benchmark.models import Published
from sctnet.benchmark.plots import _panels
from sctnet.benchmark.report import Report, Row

MACHINE = {
    'date': '2024-05-06 07:08 UTC',
    'processor': 'Abacus 3000',
    'cores': 2,
    'threads': 2,
    'instructions': 'AVX2',
    'memory_gib': 16.0,
    'python': '3.11.0',
    'gpu': None,
    'packages': {'torch': '2.6'},
}
SETTINGS = {
    'command': 'sctnet benchmark network',
    'device': 'cpu',
    'repeats': 3,
    'warmup': 1,
    'pause': 0.05,
}


def row(model='sctnet-s-seg50', backend='torch', **values):
    found = Row(model, backend, 1, (1024, 2048))
    found.seconds, found.input_size = [0.2, 0.1, 0.4], (1024, 2048)
    found.flops, found.parameters = 10_000_000_000, 4_650_000
    found.memory = 164 << 20
    for name, value in values.items():
        setattr(found, name, value)
    return found


def report(kind, rows):
    published = {
        'sctnet-s-seg50': Published('Cityscapes', 72.94, 'ours.yml', True, (512, 1024)),
        'stdc1': Published('Cityscapes', 74.94, 'theirs.yaml', False, (1024, 2048)),
    }
    return Report(kind, MACHINE, SETTINGS, published, rows)


def image_row(backend, factor):
    stages = [dict.fromkeys(STAGES, factor * s) for s in (0.02, 0.01, 0.03)]
    seconds = [factor * s for s in (0.08, 0.04, 0.12)]
    return row(backend=backend, seconds=seconds, stages=stages, agreement=0.99995)


def test_statistics_of_times():
    times = row(seconds=[float(x) for x in range(100, -1, -1)])
    assert (times.median, times.p95) == (50.0, 95.0)
    one = row(seconds=[3.0])
    assert one.median == one.p95 == 3.0


def test_every_time_is_saved(tmp_path):
    report('network', [row()]).save(tmp_path / 'deep' / 'network.json')
    saved = json.loads((tmp_path / 'deep' / 'network.json').read_text())
    assert saved['rows'][0]['seconds'] == [0.2, 0.1, 0.4]
    assert saved['published']['stdc1']['miou'] == 74.94
    assert saved['machine']['processor'] == 'Abacus 3000'


def cells(text, *words):
    (line,) = [x for x in text.splitlines() if x.startswith(f'| {" | ".join(words)} |')]
    return [cell.strip() for cell in line.strip('|').split('|')]


def test_network_table_has_the_figures_and_what_was_not_run():
    failed = row('stdc1', 'openvino', reason='RuntimeError: no such op', seconds=[])
    text = to_markdown(
        report('network', [row(), row('stdc1', seconds=[0.05] * 3), failed]), ['a.png']
    )
    assert cells(text, 'sctnet-s-seg50', 'torch')[2:] == [
        *('1024x2048', '200.0', '380.0', '100.0', '5.00', '4.65 M', '10.0', '50'),
        *('164', '72.94 at 512x1024'),
    ]
    assert cells(text, 'stdc1', 'torch')[-1] == '74.94'
    assert text.index('| stdc1 |') < text.index('| sctnet-s-seg50 |')  # the faster
    assert 'stdc1, openvino, batch 1: RuntimeError: no such op' in text
    assert 'CUDA and TensorRT: this run was on a CPU' in text
    for expected in ('Abacus 3000', '2024-05-06', '`sctnet benchmark network`'):
        assert expected in text
    assert '![a.png](a.png)' in text
    assert 'stdc1: theirs.yaml' in text


def test_image_table_compares_with_mmseg_and_shows_the_stages():
    rows = [image_row('mmseg', 4), image_row('torch', 1)]
    text = to_markdown(report('image', rows), [])
    assert cells(text, 'sctnet-s-seg50', 'torch')[3:14] == [
        *('80.0', '116.0', '40.0', '12.50', '0.25', '20.0', '20.0', '20.0', '20.0'),
        *('164', '99.9950 %'),
    ]
    assert cells(text, 'sctnet-s-seg50', 'mmseg')[7] == '1.00'


def training_row(way, seconds, peak):
    stages = dict.fromkeys(training.STAGES, seconds / len(training.STAGES))
    values = {'seconds': [seconds] * 3, 'stages': [stages] * 3, 'memory': peak << 20}
    return row(backend=way, **values)


def test_training_table_compares_time_and_memory_with_the_readable_way():
    rows = [training_row('readable', 4, 200), training_row('shortcuts', 1, 50)]
    other = training_row('shortcuts', 9, 9)
    other.size = (1, 1)
    loader = row(backend='loader', seconds=[2.0] * 3)
    faster = row(backend='loader+store', seconds=[0.5] * 3)
    text = to_markdown(report('train', [*rows, other, loader, faster]), [])
    lines = [x.strip('|').split('|') for x in text.splitlines() if '| sctnet' in x]
    first, second, alone, loads, stored = [
        [cell.strip() for cell in x[2:]] for x in lines
    ]
    head = ['1024x2048', *['4000.0'] * 3, '0.25', '1.00']
    assert first == [*head, *['571.4'] * 7, '200', '1.00']
    assert second[4:6] == ['1.00', '0.25']
    assert second[-2:] == ['50', '0.25']
    assert (alone[5], alone[-1]) == ('', '')
    assert loads[4:] == ['0.50', '1.00', *[''] * 7, '164', '1.00']
    assert stored[4:6] == ['2.00', '0.25']
    assert '- CUDA: this run was on a CPU.' in text
    assert 'published' not in text


def test_plot_prefers_the_published_size_then_the_smallest_batch_then_the_fastest():
    name, own = 'sctnet-s-seg50', (512, 1024)
    slow = row(input_size=own)
    fast = row(input_size=own, seconds=[0.15])
    rows = [
        row(seconds=[0.01]),
        slow,
        fast,
        row(input_size=own, batch=8, seconds=[0.1]),
    ]
    rows += [row('stdc1', 'onnxruntime'), row('stdc1', reason='no', seconds=[])]
    (ours,), (peer,) = _panels(report('network', rows)).values()
    assert ours is fast
    assert (ours.model, peer.model) == (name, 'stdc1')


@pytest.mark.parametrize('kind', ['network', 'image', 'train'])
def test_views_are_drawn_even_of_nothing_but_failures(kind, tmp_path):
    rows = [image_row('mmseg', 4), image_row('torch', 1), row('stdc1')]
    markdown, picture = write_views(report(kind, rows), tmp_path)
    assert picture.name in markdown.read_text()
    drawn = cv2.imread(str(picture))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 20
    rows = [row(reason='RuntimeError: no', seconds=[])]
    markdown, _ = write_views(report(kind, rows), tmp_path)
    assert 'RuntimeError: no' in markdown.read_text()
