"""Every message that the page on troubleshooting quotes is one of the package's."""

import ast
import re

import pytest
from doc_pages import text_of
from support import REPOSITORY

PAGE = text_of('docs/troubleshooting.md')
GAP = '…'  # what a message fills in
SECTIONS = dict(re.findall(r'^## (.+)\n((?:(?!## ).*\n)*)', PAGE, re.MULTILINE))


def statements():
    """Return every statement of the package on a line of its own; no docstrings."""
    lines = []
    for path in REPOSITORY.glob('sctnet/**/*.py'):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                node.value.value = 0
        lines += re.sub(r'\\(["\'])', r'\1', ast.unparse(tree)).splitlines()
    return lines


LINES = statements()


def occurs(quote):
    """Whether a statement holds ``quote``, whose gaps stand for anything."""
    pattern = re.compile('.*?'.join(map(re.escape, quote.split(GAP))))
    return any(pattern.search(line) for line in LINES)


@pytest.mark.parametrize('title', SECTIONS)
def test_quoted_messages_occur_in_the_source(title):
    ours = SECTIONS[title].partition('Of other packages')[0]
    rows = re.findall(r'^\| (`.+?) \|', ours, re.MULTILINE)
    quotes = [quote for row in rows for quote in re.findall(r'`([^`]+)`', row)]
    assert quotes
    for quote in quotes:
        assert len(quote.replace(GAP, '').strip()) > 7, f'{quote} says nothing'
        assert occurs(quote), quote


def test_other_words_do_not_occur():
    assert occurs("there is no config '…', neither a file nor a name of sctnet's")
    assert not occurs("there is no configg '…', neither a file nor a name of sctnet's")
    assert not occurs('Base of every error that names what is wrong')  # a docstring
