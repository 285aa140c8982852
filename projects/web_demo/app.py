"""A web page that segments images, a webcam or videos in the browser."""

import argparse
import os
import tempfile
from pathlib import Path

import cv2
from session import DEFAULT_MODEL, Choice, Session, backend_names

from sctnet.catalog import find_config
from sctnet.cli.print_errors import run_command
from sctnet.compat.optional_packages import is_installed
from sctnet.datasets.street_scenes import render_street_scene
from sctnet.deploy.runtimes import BACKENDS, check_backend
from sctnet.errors import ArgumentError

SCENES = (3, 16, 28, 5)  # seeds of the examples


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--config', default=DEFAULT_MODEL, help='name or path of a config')
    add('--checkpoint', help='weight file of that config')
    add('--seeded', action='store_true', help='random weights where no file is given')
    add('--backend', help=f'one of {", ".join(BACKENDS)} (default: the fastest)')
    add('--device', help="for example 'cpu' or 'cuda:0'")
    add('--port', type=int, help='default: the first free one from 7860 on')
    return parser.parse_args()


def main() -> None:
    """Serve the page until Ctrl-C."""
    args = parse_args()
    if not is_installed('gradio'):
        raise ArgumentError("gradio is not installed: pip install 'sctnet[web]'")
    find_config(args.config)
    if args.backend:
        check_backend(args.backend)
    choice = Choice(args.config, args.backend or backend_names()[0])
    with tempfile.TemporaryDirectory(prefix='sctnet_web_') as name:
        folder = Path(name)
        session = Session(
            folder, args.config, args.checkpoint, args.seeded, args.device
        )
        if args.checkpoint or args.seeded:
            session.model(choice)  # what does not fit is said here and now
        serve(session, choice, folder, args.port)


def serve(session: Session, choice: Choice, folder: Path, port: int | None) -> None:
    """Serve the page to this machine alone, until Ctrl-C.

    Args:
        session: the models.
        choice: what is chosen at the start.
        folder: for uploads, examples and videos.
        port: None takes a free one.

    Raises:
        ArgumentError: the port is taken.
    """
    # Gradio reads these when it is imported: nothing is sent anywhere, and uploads
    # end with the page.
    os.environ.update(
        GRADIO_ANALYTICS_ENABLED='False',
        GRADIO_TEMP_DIR=str(folder / 'uploads'),
        HF_HUB_OFFLINE='1',
    )
    from layout import CSS, build_page, theme

    page = build_page(session, choice, draw_scenes(folder), folder / 'videos')
    look = {'theme': theme(), 'css': CSS, 'footer_links': []}
    here = {'server_name': '127.0.0.1', 'server_port': port, 'share': False}
    try:
        _, url, _ = page.launch(
            **look, **here, ssr_mode=False, quiet=True, prevent_thread_lock=True
        )
    except OSError as error:
        raise ArgumentError(
            f'port {port or "7860 to 7959"} cannot be used: name another with --port'
        ) from error
    print(f'The page is at {url} (Ctrl-C ends it)', flush=True)
    page.block_thread()


def draw_scenes(folder: Path) -> list[Path]:
    """Write the examples and return their files."""
    files = [folder / f'street_{number}.png' for number, _ in enumerate(SCENES, 1)]
    for seed, file in zip(SCENES, files, strict=True):
        cv2.imwrite(str(file), render_street_scene(seed)[0])
    return files


if __name__ == '__main__':
    run_command(main)
