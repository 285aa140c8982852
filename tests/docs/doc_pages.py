"""The pages that are documentation, their blocks of code, and the commands in these."""

import re
import shlex
from functools import cache
from typing import NamedTuple

from support import REPOSITORY

FENCE = re.compile(
    r'^( *)(`{3,})(\w*)([^\n]*)\n(.*?)^\1\2[ ]*$', re.MULTILINE | re.DOTALL
)
LANGUAGES = ('bash', 'python', 'sh', 'shell', 'console', 'py')


class Block(NamedTuple):
    """A fenced block: where it is, what it is in, and its lines."""

    page: str  # from the root of the repository
    line: int
    language: str
    title: str  # of a file that the block is
    code: str

    @property
    def place(self):
        return f'{self.page}:{self.line}'


class Command(NamedTuple):
    """A command of a bash block: variables set before it, and its words."""

    variables: tuple[str, ...]
    words: tuple[str, ...]

    def __str__(self):
        return shlex.join(self.words)


@cache
def pages():
    """Return the paths of all pages, from the root of the repository."""
    found = sorted((REPOSITORY / 'docs').rglob('*.md'))
    return ['README.md', *(path.relative_to(REPOSITORY).as_posix() for path in found)]


def text_of(page):
    return (REPOSITORY / page).read_text(encoding='utf-8')


@cache
def blocks(page=None):
    """Return the blocks of a page, or of all, that a reader may run."""
    if page is None:
        return [block for name in pages() for block in blocks(name)]
    text = text_of(page)
    found = []
    for fence in FENCE.finditer(text):
        indent, _, language, info, code = fence.groups()
        if language in LANGUAGES:
            title = re.search(r'title="([^"]+)"', info)
            code = re.sub(rf'^{indent}', '', code, flags=re.MULTILINE)
            line = text.count('\n', 0, fence.start()) + 1
            name = title[1] if title else ''
            found.append(Block(page, line, language, name, code))
    return found


def commands(code):
    """Return the commands of a bash block, without comments."""
    lines = code.replace('\\\n', ' ').splitlines()
    found = []
    for line in lines:
        words = shlex.split(line, comments=True)
        variables = []
        while words and re.match(r'[A-Za-z_]+=', words[0]):
            variables.append(words.pop(0))
        if words or variables:
            found.append(Command(tuple(variables), tuple(words)))
    return found


def inline_code(text):
    """Return what stands between single backticks outside of blocks."""
    return re.findall(r'`([^`\n]+)`', FENCE.sub('', text))
