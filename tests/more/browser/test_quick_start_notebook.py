"""The quick start's notebook runs from top to bottom as it is stored."""

import re

import nbclient
import nbformat
import pytest
from support import REPOSITORY

PATH = REPOSITORY / 'projects' / 'quick_start' / 'quick_start.ipynb'
# A slash or a drive that begins a path, not one inside of a path or an address.
ABSOLUTE = re.compile(r'(?:^|[\s\'"(=])(?:/[\w.]|~/|[A-Za-z]:\\)', re.MULTILINE)
SECONDS = 80  # for a cell


@pytest.fixture
def notebook():
    return nbformat.read(PATH, as_version=4)


def outputs(notebook, key):
    """What the cells gave of one kind."""
    found = []
    for cell in notebook.cells:
        for output in cell.get('outputs', []):
            found += [output.data[key]] if key in output.get('data', {}) else []
    return found


def test_it_is_stored_without_outputs_and_names_no_absolute_path(notebook):
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not ABSOLUTE.search(cell.source), cell.source
        assert not cell.get('outputs')
        assert cell.get('execution_count') is None
    for path in ('/data/x', 'open("/data/x")', "r'C:\\data'", '~/data'):
        assert ABSOLUTE.search(path)


def test_its_links_into_the_repository_exist(notebook):
    text = '\n'.join(cell.source for cell in notebook.cells)
    for path in re.findall(r'`((?:projects|tools|docs)/[^`]+)`', text):
        assert (REPOSITORY / path).exists(), path


def test_it_runs_and_ends_with_pictures_and_a_score(notebook, tmp_path, monkeypatch):
    for variable in ('JUPYTER_RUNTIME_DIR', 'JUPYTER_DATA_DIR', 'IPYTHONDIR'):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    client = nbclient.NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name='python3',
        resources={'metadata': {'path': str(tmp_path)}},
    )
    client.execute()
    assert len(outputs(notebook, 'image/png')) == 3
    (metrics,) = outputs(notebook, 'text/plain')[-2:-1]
    score = float(re.search(r"'mIoU': ([\d.]+)", metrics)[1])
    assert 4 < score < 100  # 19 classes by chance: below 3
    assert (tmp_path / 'quick_start' / 'student' / 'iter_60.pth').is_file()
    assert not list(PATH.parent.glob('quick_start/*'))
