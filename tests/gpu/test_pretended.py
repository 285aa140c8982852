"""A training step seldom crosses to the GPU and back, at any batch size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pretended_device import SUPPORTED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SUPPORTED, reason='this torch takes no device from Python'),
]
CASES = ('2', '2,amp', '8', '8,amp')


@pytest.fixture(scope='module')
def found(streets, tmp_path_factory):
    """What each case crossed; in a process that cannot go back to be without a GPU."""
    script = Path(__file__).with_name('pretended_training.py')
    folder = tmp_path_factory.mktemp('pretended')
    call = [sys.executable, '-W', 'ignore', script, streets, folder, *CASES]
    ran = subprocess.run(call, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if line.startswith('{"case"')]
    return {facts.pop('case'): facts for facts in map(json.loads, lines)}


def test_the_device_notices_copies_waits_and_launches(found):
    device = found['device']
    assert device.pop('mix') == 'add: a tensor of the CPU (2, 3) meets one of the GPU'
    # copies to it, waits for it, launches
    assert device == {
        'pinned': [1, 0, 1],
        'pinned, waits': [1, 1, 1],
        'pageable': [1, 1, 1],
        'into': [1, 1, 2],
        'item': [0, 1, 1],
        'if': [0, 1, 2],
        'cpu': [0, 1, 0],
        'tolist': [0, 1, 0],
        'print': [0, 1, 0],
        'nonzero': [0, 1, 1],
        'mask': [0, 1, 2],
        'list': [1, 1, 2],
        'view': [0, 0, 0],
        'number': [0, 0, 1],
        'scalar': [0, 0, 1],
        'zeros': [0, 0, 1],
        'same': [0, 0, 0],
        'half': [0, 0, 8],
    }


@pytest.mark.parametrize('case', CASES)
def test_an_iteration_takes_two_copies_and_one_wait(found, case):
    facts = found[case]['iteration']
    # The images, the labels; the loss terms.
    assert (facts['copies'], facts['waits']) == (2, 1), facts['lines']


@pytest.mark.parametrize('case', CASES)
def test_an_iteration_launches_no_more_than_it_did(found, case):
    facts = found[case]['iteration']
    optimizer = facts['optimizer']
    limit = 980 if 'amp' in case else 860
    assert facts['launches'] - sum(optimizer.values()) <= limit
    assert optimizer['_fused_adamw_'] <= 4, optimizer


def test_launches_hardly_grow_with_the_batch(found):
    for amp in ('', ',amp'):
        small, large = (found[f'{n}{amp}']['iteration']['launches'] for n in (2, 8))
        assert large <= small + 50


def test_a_validation_image_goes_up_and_only_its_metric_comes_back(found):
    facts = found[CASES[0]]['validation']
    # mmseg's IoUMetric takes three masks and brings three histograms back.
    assert all('iou_metric.py' in line for line in facts['lines'] if 'wait' in line)
    assert (facts['copies'], facts['waits']) == (2, 6), facts['lines']
    assert facts['launches'] <= 210
