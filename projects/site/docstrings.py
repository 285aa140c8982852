"""Sphinx's marks in docstrings, as Markdown: an extension of Griffe for the site."""

import re
from typing import Any

from griffe import Extension

ROLE = re.compile(r':(?:class|func|meth|mod|data|attr):`~?([^`]+)`')
LITERAL = re.compile(r'^( *)::\n', re.MULTILINE)


class PlainMarks(Extension):
    """Turns roles into code, and the mark before an indented block into nothing."""

    def on_instance(self, *, obj: Any, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            text = ROLE.sub(r'`\1`', obj.docstring.value.replace('``', '`'))
            obj.docstring.value = LITERAL.sub('\n', text)
