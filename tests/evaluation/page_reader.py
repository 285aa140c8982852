"""Reads an HTML page as a browser would, and fails where one would have to guess."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a page shows.

    Attributes:
        text: all of it.
        rows: of all tables, the cells' texts.
        widths: of each row, how long its bars are in percent.
        pictures: of each, the address and the alternative text.
    """

    def __init__(self, path):
        super().__init__()
        self.text, self.rows, self.widths, self.pictures = '', [], [], []
        self._open = []
        self.feed(path.read_text(encoding='utf-8'))
        assert not self._open
        assert all(address.startswith('data:image/') for address, _ in self.pictures)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        assert 'href' not in attributes
        assert tag not in ('script', 'link')
        if tag == 'img':
            self.pictures.append((attributes['src'], attributes['alt']))
        elif tag != 'meta':
            self._open.append(tag)
        if tag == 'tr':
            self.rows.append([])
            self.widths.append([])
        if tag in ('td', 'th'):
            self.rows[-1].append('')
        if attributes.get('style', '').startswith('width:'):
            self.widths[-1].append(float(attributes['style'][6:-1]))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if {'td', 'th'} & set(self._open):
            self.rows[-1][-1] += data.strip()

    def row(self, *cells):
        """Return the only row that begins with ``cells``."""
        (found,) = [row for row in self.rows if row[: len(cells)] == list(cells)]
        return found
