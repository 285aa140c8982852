"""The web page in a real browser."""

import re
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from browser import chromium, find_chromium, served
from support import REPOSITORY

from sctnet.datasets.street_scenes import render_street_scene
from sctnet.streams.write_video import write_video

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason='no Chromium is installed'
)
# Reports every address that the server's process looks up or connects to.
SPY = """
import os, sys

def report(event, args):
    if event in ('socket.connect', 'socket.getaddrinfo'):
        address = args[1] if event == 'socket.connect' else args[0]
        with open(os.environ['SPY_LOG'], 'a') as log:
            log.write(f'{address!r}\\n')

sys.addaudithook(report)
"""
OWN = re.compile(r"(\('127\.0\.0\.1', \d+\)|b?'(127\.0\.0\.1|localhost)'|None)$")


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    """Address of a page with random weights, and what its process connects to."""
    folder = tmp_path_factory.mktemp('spy')
    (folder / 'sitecustomize.py').write_text(SPY)
    log = folder / 'log'
    log.touch()
    env = {
        'SPY_LOG': str(log),
        'PYTHONPATH': f'{folder}:{REPOSITORY}',
        'OMP_NUM_THREADS': '1',
    }
    with served('--seeded', '--device', 'cpu', env=env) as url:
        yield url, log


@pytest.fixture
def page(server):
    """The page in a browser; it may ask nobody but its server."""
    hosts = set()
    with chromium(viewport={'width': 1280, 'height': 860}) as page:
        page.on('request', lambda request: hosts.add(urlsplit(request.url).hostname))
        page.goto(server[0])
        page.wait_for_selector('#viewer .empty')
        yield page
        text = page.locator('body').inner_text()
    assert 'Traceback' not in text
    assert hosts - {None} == {'127.0.0.1'}  # None: data: and blob: URLs


@pytest.fixture(scope='module')
def street(tmp_path_factory):
    path = tmp_path_factory.mktemp('street') / 'street.png'
    cv2.imwrite(str(path), render_street_scene(3, 256, 128)[0])
    return path


def give(page, what, path):
    page.set_input_files(f'#{what} input[type=file]', path)


def show(page, path):
    give(page, 'image', path)
    page.wait_for_selector('#viewer .stage.filled')


def pixels(page):
    """The picture in the page, as it is seen, once nothing moves any more."""
    page.wait_for_timeout(300)
    data = page.locator('#viewer .stage').screenshot()
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)


def difference(a, b):
    return np.abs(a - b).mean()


def test_opacity_and_classes_answer_without_the_server(page, street):
    show(page, street)
    assert 'mean nothing' in page.locator('#viewer .note').inner_text()
    latency = page.locator('#viewer .latency').inner_text()
    assert re.fullmatch(r'\d+ ms from image to label map, 256x128, on \w+', latency)
    half = pixels(page)
    asked = []
    page.on('request', lambda request: asked.append(request.url))
    slider = page.locator('#viewer input[type=range]')
    slider.fill('0')
    plain = pixels(page)
    slider.fill('1')
    full = pixels(page)
    assert difference(plain, full) > 20
    assert difference(half, (plain + full) / 2) < 2
    entries = page.locator('#viewer .legend button')
    shares = [
        float(text)
        for text in re.findall(r'([\d.]+) %', ' '.join(entries.all_inner_texts()))
    ]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=2)
    entries.first.hover()
    highlighted = pixels(page)
    untouched = (highlighted == full).all(2).mean()
    assert untouched == pytest.approx(shares[0] / 100, abs=0.04)
    page.mouse.move(0, 0)
    assert difference(pixels(page), full) == 0
    page.locator('#viewer .stage').hover()
    tip = page.locator('#viewer .tip').inner_text()
    assert re.fullmatch(r'[\w ]+, [<\d. ]+ % of the picture', tip)
    assert not asked


def test_another_backend_and_another_model_segment_the_same_image(page, street):
    show(page, street)
    page.locator('#backend label', has_text='torch').click()
    page.wait_for_selector('#viewer .latency:has-text("on torch")')
    before = page.locator('#viewer .legend').inner_text()
    page.locator('#model input').click()
    page.get_by_role('option', name='sctnet-s-ade').click()
    page.wait_for_function(
        'text => document.querySelector("#viewer .legend").innerText !== text',
        arg=before,
    )
    assert 'other classes do not occur' in page.locator('#viewer .absent').inner_text()


def test_what_does_not_work_is_one_sentence_in_the_page(page, tmp_path, street):
    cases = {
        'broken.png': (b'\x89PNG\r\n\x1a\nnothing', 'truncated or not an image'),
        'small.png': (
            cv2.imencode('.png', np.zeros((40, 30, 3), np.uint8))[1].tobytes(),
            'is 30x40 pixels: expected at least 64x64',
        ),
    }
    note = page.locator('#viewer .note.error')
    for name, (data, words) in cases.items():
        (tmp_path / name).write_bytes(data)
        give(page, 'image', tmp_path / name)
        page.wait_for_selector(f'#viewer .note.error:has-text("{name}")')
        assert words in note.inner_text()
        assert '/' not in note.inner_text().replace('64x64', '')
        page.locator('#image button[aria-label=Clear]').first.click()
    show(page, street)
    weights = tmp_path / 'weights.pth'
    weights.write_bytes(b'nothing')
    give(page, 'weights', weights)
    page.wait_for_selector('#viewer .note.error:has-text("weights.pth")')
    assert 'not a checkpoint' in note.inner_text()
    assert not page.locator('#viewer .stage.filled').count()


def test_a_webcam_is_segmented_while_it_runs(page):
    page.get_by_role('tab', name='Webcam').click()
    page.locator('#webcam button:visible').first.click()
    page.locator('#webcam button', has_text='Record').click()
    page.wait_for_selector('#viewer .stage.filled')
    page.wait_for_selector(
        '#viewer .latency:text-matches("median of ([3-9]|[12][0-9])")'
    )
    latency = page.locator('#viewer .latency').inner_text()
    assert re.search(r'^\d+ ms .*, [\d.]+ frames a second, on \w+$', latency)


def test_a_video_comes_back_as_one_that_the_browser_plays(page, tmp_path):
    path = tmp_path / 'drive.webm'
    scene, _ = render_street_scene(5, 256, 128)
    with write_video(path, 10) as sink:
        for step in range(0, 60, 5):
            sink.write(scene[:, step : step + 128])
    page.get_by_role('tab', name='Video').click()
    give(page, 'video', path)
    page.wait_for_selector('#video video')
    page.get_by_role('button', name='Segment the video').click()
    page.wait_for_selector('#result video')
    line = page.locator('#video-line').inner_text()
    assert 'mean nothing' in line
    assert '12 frames at' in line
    played = page.evaluate("""async () => {
        const video = document.querySelector('#result video');
        video.muted = true;
        await video.play();
        await new Promise((done) => setTimeout(done, 400));
        return [video.currentTime > 0, video.videoWidth, video.videoHeight];
    }""")
    assert played == [True, 128, 128]


def test_the_server_connects_to_nobody(page, server, street):
    show(page, street)
    addresses = server[1].read_text().splitlines()
    assert addresses, 'the spy saw nothing'
    assert [one for one in addresses if not OWN.match(one)] == []
