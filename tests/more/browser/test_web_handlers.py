"""What the web page's controls do, and how it starts."""

import base64
import json
import os
import runpy
import socket
import sys
from unittest import mock

import cv2
import numpy as np
import pytest
from support import REPOSITORY

from sctnet.errors import ImageError

pytest.importorskip('gradio', reason='needs gradio')
import handlers
from session import Choice

APP = REPOSITORY / 'projects' / 'web_demo' / 'app.py'
STREETS = Choice('sctnet-t-streets', 'torch')


def test_sentences_name_files_without_their_folder(caplog):
    error = ImageError("image 'x/y/a.png' is empty (0 bytes): copy it again")
    text = handlers.sentence(error, None, 'x/y/a.png')
    assert text == "image 'a.png' is empty (0 bytes): copy it again"
    assert 'terminal' in handlers.sentence(KeyError('inside'))
    assert 'inside' in caplog.text


@pytest.fixture
def page(seeded, tmp_path):
    return handlers.Handlers(seeded, tmp_path)


def test_a_webcam_tells_an_error_once_and_goes_on_with_another_choice(scene, page):
    live = handlers.Live()
    bad = STREETS._replace(upload='x/none.pth')
    frame = scene[..., ::-1]
    said = json.loads(page.webcam(frame, *bad, live))
    assert said['error'].startswith("checkpoint 'none.pth' does not exist")
    assert page.webcam(frame, *bad, live) == handlers.gr.skip()
    for count in (1, 2):
        data = json.loads(page.webcam(frame, *STREETS, live))
        assert f'median of {count}' in data['latency']
    jpeg = np.frombuffer(base64.b64decode(data['image'].partition(',')[2]), np.uint8)
    shown = cv2.imdecode(jpeg, cv2.IMREAD_COLOR).astype(int)
    assert np.abs(shown - scene).mean() < 5  # red is not blue


def test_a_video_that_fails_is_one_sentence(page, tmp_path):
    live = handlers.Live()
    file = tmp_path / 'a.mp4'
    file.write_bytes(b'nothing')
    with pytest.raises(handlers.gr.Error, match=r"'a\.mp4' cannot be read"):
        page.video(str(file), *STREETS, 0.5, 0, live, progress=lambda *_, **__: None)
    with pytest.raises(handlers.gr.Error, match='Choose a video'):
        page.video(None, *STREETS, 0.5, 0, live)


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (['--checkpoint', 'none.pth'], "checkpoint 'none.pth' does not exist"),
        (['--config', 'sctnet-x'], "there is no config 'sctnet-x'"),
        (['--seeded', '--port', '{taken}'], 'port {taken} cannot be used'),
    ],
)
def test_what_keeps_the_page_from_starting_is_one_sentence(
    words, told, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        taken = other.getsockname()[1]
        words = ['app.py', *(word.format(taken=taken) for word in words)]
        monkeypatch.setattr(sys, 'argv', words)
        with mock.patch.dict(os.environ), pytest.raises(SystemExit) as ended:
            runpy.run_path(str(APP), run_name='__main__')
    assert ended.value.code == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith(f'error: {told.format(taken=taken)}')
    assert '\n' not in error
    assert list(tmp_path.iterdir()) == []


def test_the_page_runs_no_config_that_it_does_not_offer(seeded, tmp_path):
    """A config is Python: a request must not name a file of its own."""
    from layout import build_page

    page = build_page(seeded, STREETS, [], tmp_path)
    by_id = {block.elem_id: block for block in page.blocks.values()}
    assert by_id['model'].preprocess('sctnet-s-ade') == 'sctnet-s-ade'
    for control in ('model', 'backend'):
        with pytest.raises(handlers.gr.Error):
            by_id[control].preprocess('evil.py')
    assert not page.analytics_enabled
