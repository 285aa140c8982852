"""A web page that segments images, a webcam or videos in the browser."""

import argparse
import os
import tempfile
from pathlib import Path

# Gradio reads these when it is imported: nothing is sent anywhere.
os.environ.update(GRADIO_ANALYTICS_ENABLED='False', HF_HUB_OFFLINE='1')

import cv2
from layout import CSS, build_page, theme
from session import DEFAULT_MODEL, Choice, Session, backend_names

from sctnet.catalog import find_config
from sctnet.deploy.runtimes import BACKENDS, check_backend
from sctnet.errors import ArgumentError
from sctnet.launch import run_tool
from sctnet.street_scenes import render_street_scene

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
        scenes = [folder / f'street_{number}.png' for number, _ in enumerate(SCENES, 1)]
        for seed, path in zip(SCENES, scenes, strict=True):
            cv2.imwrite(str(path), render_street_scene(seed)[0])
        page = build_page(session, choice, scenes, folder / 'videos')
        serve(page, args.port)


def serve(page, port: int | None) -> None:
    """Serve ``page`` to this machine alone.

    Raises:
        ArgumentError: the port is taken.
    """
    try:
        page.launch(
            server_name='127.0.0.1',
            server_port=port,
            theme=theme(),
            css=CSS,
            share=False,
            ssr_mode=False,
            footer_links=[],
        )
    except OSError as error:
        raise ArgumentError(
            f'port {port} cannot be used ({str(error).split(".")[0]}): name another '
            'one with --port, or leave it out'
        ) from error


if __name__ == '__main__':
    run_tool(main)
