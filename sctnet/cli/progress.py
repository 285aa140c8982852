"""The progress bar of the tools."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar with the time that is left while the block runs.

    Args:
        text: what is done, such as ``'Converting'``.

    Yields:
        A function that is told (done, total) after every piece of the work.
    """
    with Progress() as progress:
        task = progress.add_task(text, total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield advance
