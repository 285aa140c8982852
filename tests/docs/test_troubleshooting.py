"""Every message that the page on troubleshooting quotes is one of the package's."""

import ast
import re

import pytest
from doc_pages import text_of
from support import REPOSITORY

PAGE = 'docs/troubleshooting.md'
GAP = '…'  # what a message fills in


def template(node):
    """Return a string expression with its gaps; None for what is no string."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = (
            part.value if isinstance(part, ast.Constant) else GAP
            for part in node.values
        )
        return ''.join(map(str, parts))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (template(node.left) or GAP) + (template(node.right) or GAP)
    return None


def templates():
    """Return every string of the package and its tools but docstrings."""
    found = set()
    files = (
        path
        for name in ('sctnet', 'tools')
        for path in sorted((REPOSITORY / name).rglob('*.py'))
    )
    for path in files:
        tree = ast.parse(path.read_text(encoding='utf-8'))
        docstrings = {
            id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
        }
        found |= {
            text
            for node in ast.walk(tree)
            if id(node) not in docstrings and (text := template(node))
        }
    return found


def fits(quote, text):
    """Whether ``quote`` is a part of a message; its gaps stand for anything."""
    pattern = '.*?'.join(map(re.escape, quote.split(GAP)))
    return re.search(pattern, text, re.DOTALL) is not None


def sections():
    """Return each heading and the first cells of its tables."""
    found = {}
    for part in re.split(r'^## ', text_of(PAGE), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition('\n')
        ours = body.partition('Of other packages')[0]
        rows = re.findall(r'^\| (.+?) \|', ours, re.MULTILINE)
        found[title] = [row for row in rows if row.startswith('`')]
    return found


QUOTES = [
    (title, quote)
    for title, rows in sections().items()
    for row in rows
    for quote in re.findall(r'`([^`]+)`', row)
]
TEXTS = templates()


def test_the_page_has_its_sections():
    assert {title for title, _ in QUOTES} == set(sections())
    assert len(QUOTES) > 80


@pytest.mark.parametrize(('title', 'quote'), QUOTES)
def test_a_quoted_message_occurs_in_the_source(title, quote):
    assert len(quote.replace(GAP, '').strip()) > 7, f'{quote} says nothing'
    assert any(fits(quote, text) for text in TEXTS), f'{title}: {quote}'


@pytest.mark.parametrize(
    'quote',
    [
        "there is no configg '…', neither a file nor a name of sctnet's",
        'the loss is not finite at epoch …',
        'Base of every error that names what is wrong',  # of a docstring
    ],
)
def test_other_words_do_not_occur(quote):
    assert not any(fits(quote, text) for text in TEXTS)


def test_classes_of_errors_that_the_page_names_exist():
    from sctnet import errors

    named = set(re.findall(r'`(\w+Error)`', text_of(PAGE)))
    own = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.SCTNetError)
    }
    assert own - named == set()
    assert named - own <= {'ModuleNotFoundError'}
