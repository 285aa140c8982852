"""The pages that are documentation, and the code in them."""

import re
import shlex
from functools import cache
from typing import NamedTuple

from support import REPOSITORY

FENCE = re.compile(r'^( *)```(\w*)([^\n]*)\n(.*?)^\1``` *$', re.MULTILINE | re.DOTALL)
PAGES = ['README.md']
PAGES += sorted(str(p.relative_to(REPOSITORY)) for p in REPOSITORY.glob('docs/**/*.md'))


class Block(NamedTuple):
    """A fenced block: where it is, the name of the file that it is, and its lines."""

    place: str
    title: str
    code: str


@cache
def text_of(page):
    return (REPOSITORY / page).read_text(encoding='utf-8')


def blocks(page, language):
    """Return the blocks of a page in a language, ``'python'`` or ``'bash'``."""
    found = []
    for fence in FENCE.finditer(text_of(page)):
        indent, name, info, code = fence.groups()
        assert name not in ('sh', 'shell', 'console', 'py'), (
            f'{page}: write bash, python'
        )
        if name == language:
            title = re.search(r'title="([^"]+)"', info)
            line = text_of(page).count('\n', 0, fence.start()) + 1
            code = re.sub(f'^{indent}', '', code, flags=re.MULTILINE)
            found.append(Block(f'{page}:{line}', title[1] if title else '', code))
    return found


def commands(page):
    """Return where each command in a page's blocks is, and its words."""
    found = []
    for block in blocks(page, 'bash'):
        for line in block.code.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r'[A-Z_]+=.*', words[0]):
                del words[0]
            if words:
                found.append((block.place, words))
    return found


def inline_code(page):
    """Return what stands between single backticks outside of blocks."""
    return re.findall(r'`([^`\n]+)`', FENCE.sub('', text_of(page)))
