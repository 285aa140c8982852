"""The page in its own process, and a headless Chromium that looks at it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

APP = Path(__file__).with_name('app.py')
START_SECONDS = 120.0
# The first gives a picture that moves, the second the permission to see it.
FAKE_CAMERA = (
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
)


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome that is installed, or None."""
    names = ('chromium', 'chromium-browser', 'google-chrome')
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def served(*options: object, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start ``app.py`` with ``options`` on a free port; yield its address; end it.

    Raises:
        RuntimeError: it does not answer in two minutes; with what it printed.
    """
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    words = [sys.executable, '-W', 'ignore', APP, '--port', port, *options]
    # Its temporary files lie in a folder of ours: a killed process removes none.
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, 'TMPDIR': folder, **(env or {})},
        )
        url = f'http://127.0.0.1:{port}/'
        try:
            if not _answers(url, process):
                log.seek(0)
                raise RuntimeError(f'the page does not start: {log.read().decode()}')
            yield url
        finally:
            process.kill()
            process.wait()


def _answers(url: str, process: subprocess.Popen) -> bool:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except OSError:
            time.sleep(0.2)
    return False


@contextmanager
def chromium(**page_options: Any) -> Iterator[Any]:
    """Yield a blank page of Playwright's in the installed Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=list(FAKE_CAMERA)
        )
        try:
            page = browser.new_page(**page_options)
            page.set_default_timeout(30_000)
            yield page
        finally:
            browser.close()
