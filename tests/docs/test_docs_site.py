"""The site builds strictly, and its pages load nothing from elsewhere."""

import re
import subprocess
import sys

import pytest
from support import REPOSITORY

pytestmark = pytest.mark.slow

pytest.importorskip('mkdocs')
pytest.importorskip('mkdocstrings')
# What a browser fetches by itself; a link to the next page it does not.
LOADED = re.compile(
    r'<(?:script|img|iframe|source|video|audio|embed|link)\b(?![^>]*\brel="?(?:canonical'
    r'|prev|next)\b)[^>]*?\s(?:src|href)="?([^"\s>]+)'
)
FOREIGN = re.compile(r'^(?:[a-z]+:)?//', re.IGNORECASE)


def build(target, root=REPOSITORY):
    return subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '-d', str(target)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_site_builds_and_loads_nothing_from_elsewhere(tmp_path):
    done = build(tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    pages = {path.relative_to(tmp_path): path for path in tmp_path.rglob('*.html')}
    found = {str(place.parent) for place in pages}
    assert {'.', 'how_it_works', 'benchmarks/train/train', 'api/models'} <= found
    count = 0
    for place, path in pages.items():
        text = path.read_text(encoding='utf-8')
        assert 'class="mermaid"' not in text  # the theme would fetch a script
        for address in (*LOADED.findall(text), *re.findall(r'url\(([^)]+)\)', text)):
            count += 1
            assert not FOREIGN.match(address), f'{place}: {address}'
            if place.name == 'index.html' and not address.startswith('data:'):
                assert (path.parent / address.partition('?')[0]).exists(), address
    assert count > 100
    for path in tmp_path.rglob('*.css'):
        for address in re.findall(r'url\(["\']?([^)"\']+)', path.read_text()):
            assert not FOREIGN.match(address), f'{path}: {address}'


def test_broken_links_stop_the_build(tmp_path):
    """Of pages, headings and pictures, and of files outside of ``docs/``."""
    (tmp_path / 'docs').mkdir()
    for name in ('sctnet', 'projects'):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    config = (REPOSITORY / 'mkdocs.yml').read_text()
    config = re.sub(r'^nav:\n(?:  .*\n)+', 'nav: [index.md]\n', config, flags=re.M)
    (tmp_path / 'mkdocs.yml').write_text(config)
    page = tmp_path / 'docs' / 'index.md'
    for links, told in (
        ('[a](gone.md) [b](index.md#no) ![c](no.png)', ('gone.md', '#no', 'no.png')),
        ('[d](../tools/no.py)', ["links to 'tools/no.py': no such file"]),
    ):
        page.write_text(f'# Start\n\n{links}\n')
        done = build(tmp_path / 'site', tmp_path)
        assert done.returncode != 0
        assert all(text in done.stderr for text in told), done.stderr
