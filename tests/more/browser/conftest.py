import sys

import pytest
from support import REPOSITORY

from sctnet.datasets.street_scenes import render_street_scene
from sctnet.streams.write_video import write_video

sys.path.insert(0, str(REPOSITORY / 'projects' / 'web_demo'))


@pytest.fixture(scope='session')
def scene():
    """A BGR street scene (128, 256, 3)."""
    return render_street_scene(3, 256, 128)[0]


@pytest.fixture(scope='session')
def seeded(tmp_path_factory):
    """A session with random weights."""
    from session import Session

    return Session(tmp_path_factory.mktemp('session'), seeded=True, device='cpu')


@pytest.fixture
def drive(tmp_path, scene):
    """A video of six frames of 128x128 pixels."""
    path = tmp_path / 'drive.mp4'
    with write_video(path, 10) as sink:
        for step in range(6):
            sink.write(scene[:, 8 * step : 8 * step + 128])
    return path
