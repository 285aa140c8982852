"""The site builds strictly, and its pages load nothing from elsewhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from support import REPOSITORY

pytest.importorskip('mkdocs')
pytest.importorskip('mkdocstrings')
# Elements whose addresses a browser fetches by itself, and where they name them.
LOADED = {'script': 'src', 'img': 'src', 'link': 'href', 'iframe': 'src'}
LOADED |= {'source': 'src', 'video': 'src', 'audio': 'src', 'embed': 'src'}
FOREIGN = re.compile(r'^(?:[a-z]+:)?//', re.IGNORECASE)


def build(target, root=REPOSITORY):
    return subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '-d', str(target)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    target = tmp_path_factory.mktemp('site')
    done = build(target)
    assert done.returncode == 0, done.stderr[-3000:]
    return target


class Addresses(HTMLParser):
    """Collects what a page loads, and the text that it shows."""

    def __init__(self):
        super().__init__()
        self.loaded = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == 'link' and attributes.get('rel') in ('canonical', 'prev', 'next'):
            return
        address = attributes.get(LOADED.get(tag, ''))
        if address:
            self.loaded.append(address)
        self.loaded += re.findall(r'url\(([^)]+)\)', attributes.get('style') or '')


def loaded_by(path):
    parser = Addresses()
    parser.feed(path.read_text(encoding='utf-8'))
    return parser.loaded


def test_site_builds_strictly(site):
    pages = {path.relative_to(site).parent.as_posix() for path in site.rglob('*.html')}
    assert {'.', 'how_it_works', 'benchmarks/train/train', 'api/models'} <= pages


def test_pages_load_nothing_from_elsewhere(site):
    count = 0
    for path in site.rglob('*.html'):
        for address in loaded_by(path):
            count += 1
            assert not FOREIGN.match(address), f'{path}: {address}'
            if path.name == 'index.html' and not address.startswith('data:'):
                assert (path.parent / address.partition('?')[0]).exists(), address
    assert count > 100
    for path in site.rglob('*.css'):
        for address in re.findall(r'url\(["\']?([^)"\']+)', path.read_text()):
            assert not FOREIGN.match(address), f'{path}: {address}'
    # The theme fetches these two by itself where a page holds a diagram or formula.
    for path in site.rglob('*.html'):
        assert 'class="mermaid"' not in path.read_text(encoding='utf-8')


def test_docstrings_are_shown_without_sphinx_marks(site):
    text = (site / 'api' / 'models' / 'index.html').read_text(encoding='utf-8')
    assert 'Kullback-Leibler divergence between where two networks look' in text
    assert ':class:' not in text
    for path in (site / 'api').rglob('*.html'):
        assert not re.search(r'<p>::</p>|::\s*</p>', path.read_text(encoding='utf-8'))


BROKEN = (
    '[gone](nowhere.md)',
    '[gone](index.md#nowhere)',
    '![gone](figures/nowhere.png)',
    '[gone](../tools/nowhere.py)',
    '![gone](../projects/nowhere.png)',
    '::: sctnet.nowhere',
)
SOUND = (
    '[here](index.md#start)',
    '[there](../tools/train.py)',
    '![a picture](../projects/figures/network.png)',
    '::: sctnet.errors',
)


@pytest.mark.parametrize('text', [*BROKEN, *SOUND])
def test_a_broken_link_stops_the_build(text, tmp_path):
    (tmp_path / 'docs').mkdir()
    (tmp_path / 'docs' / 'index.md').write_text(f'# Start\n\n{text}\n')
    for name in ('sctnet', 'projects'):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    config = (REPOSITORY / 'mkdocs.yml').read_text()
    config = re.sub(r'^nav:\n(?:  .*\n)+', 'nav: [index.md]\n', config, flags=re.M)
    (tmp_path / 'mkdocs.yml').write_text(config)
    done = build(tmp_path / 'site', tmp_path)
    assert (done.returncode == 0) == (text in SOUND), done.stderr[-2000:]
    if text == SOUND[1]:
        page = (tmp_path / 'site' / 'index.html').read_text()
        assert 'there (<code>tools/train.py</code>)' in page
