"""What the pages in ``docs/`` show of the rest of the repository, for MkDocs.

On GitHub a page links to ``../projects/...`` like any file. The site holds the pages
alone: pictures from there are copied into it, and other links become their path.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r'(!?)\[([^\]]*)\]\(((?:\.\./)+[^)\s#]+)(#[^)\s]*)?\)')


def target_of(link: re.Match[str], page: str) -> str:
    """Return where a link of ``page`` leads, from the root of the repository."""
    return posixpath.normpath(
        posixpath.join('docs', posixpath.dirname(page), link.group(3))
    )


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Add pictures that a page shows from outside of ``docs/``."""
    for page in files.documentation_pages():
        for link in LINK.finditer(page.content_string):
            path = target_of(link, page.src_uri)
            known = files.get_file_from_path(path) or path.startswith('docs/')
            if link.group(1) and not known:
                source = str(ROOT / path)
                files.append(File.generated(config, path, abs_src_path=source))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite links that leave ``docs/``."""
    folder = posixpath.dirname(page.file.src_uri) or '.'

    def rewrite(link: re.Match[str]) -> str:
        picture, text, _, _ = link.groups()
        path = target_of(link, page.file.src_uri)
        if path.startswith('docs/'):
            return link[0]
        if not (ROOT / path).exists():
            raise PluginError(f"'{page.file.src_uri}' links to '{path}': no such file")
        if picture:
            return f'![{text}]({posixpath.relpath(path, folder)})'
        return f'{text} (`{path}`)'

    return LINK.sub(rewrite, markdown)
