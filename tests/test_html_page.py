"""The page holds what it was given, escaped, and refers to nothing outside."""

import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from sctnet.evaluation.html_page import HTMLPage


class Reader(HTMLParser):
    """Collects tags, sources and text; checks that tags close in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.cells, self.sources, self.text = [], [], [], ''
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.sources += [attrs[k] for k in ('src', 'href') if k in attrs]
        if tag in ('td', 'th'):
            self.cells.append(attrs.get('class', ''))
        if tag not in ('meta', 'img'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def png():
    return cv2.imencode('.png', np.zeros((4, 4, 3), np.uint8))[1].tobytes()


def test_page_escapes_text_and_holds_its_pictures(tmp_path, png):
    page = HTMLPage('a < b')
    page.heading('<script>alert(1)</script>')
    page.paragraph('5 > 4 & "so on"', kind='bad')
    page.table(['name', 'share'], [['<b>', 0.125], ['c', 1.0]])
    page.picture(png, '<i>caption</i>')
    page.gallery([(png, 'one'), (png, 'two')])
    page.write(tmp_path / 'page.html')
    text = (tmp_path / 'page.html').read_text(encoding='utf-8')
    reader = Reader(text)
    assert '<script>' not in text
    for part in ('<script>alert(1)</script>', '5 > 4 & "so on"', '<i>caption</i>'):
        assert part in reader.text
    assert len(reader.sources) == 3
    assert all(s.startswith('data:image/png;base64,') for s in reader.sources)
    assert not re.search(r'https?://', text)


def test_columns_of_numbers_stand_to_the_right():
    page = HTMLPage('t')
    page.table(['name', 'share', 'mixed'], [['a', 0.125, 1], ['b', 2, 'x']])
    text = page.render()
    assert Reader(text).cells == ['', 'number', ''] * 3
    assert '>0.12<' in text
    assert '>2<' in text


def test_names_that_are_no_unicode_are_written_all_the_same(tmp_path):
    page = HTMLPage('t')
    page.paragraph('file \udcff.png')
    page.write(tmp_path / 'page.html')
    assert 'file \\udcff.png' in (tmp_path / 'page.html').read_text()


def test_a_picture_must_be_png_or_jpeg():
    with pytest.raises(ValueError, match='PNG or JPEG'):
        HTMLPage('t').picture(b'GIF89a', '')
