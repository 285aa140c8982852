"""Test a checkpoint on street scenes and photograph its report to docs/report.jpg."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from sctnet.cli.print_errors import run_command

CONFIG = 'sctnet_t_1xb4_600_streets_128x256'
REPOSITORY = Path(__file__).resolve().parents[2]
WIDTH = 1180  # of the window, in pixels


def photograph(page: Page, first: str, last: str) -> np.ndarray:
    """Return BGR of the page from the element ``first`` to the end of ``last``."""
    top = page.locator(first).first.bounding_box()
    end = page.locator(last).first.bounding_box()
    assert top is not None
    assert end is not None
    height = end['y'] + end['height'] - top['y']
    clip = {'x': 0, 'y': top['y'] - 10, 'width': WIDTH, 'height': height + 20}
    png = page.screenshot(full_page=True, clip=clip)
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def main() -> None:
    """Test, open the report in Chromium, put two parts of it into one picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', type=Path, help='of SCTNet-T, on street scenes')
    parser.add_argument('data_root', type=Path, help='street scenes')
    parser.add_argument('--chromium', help="its program (default: playwright's own)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, '-m', 'sctnet', 'test', CONFIG]
        command += [args.checkpoint, '--data-root', args.data_root]
        command += ['--report', folder, '--work-dir', f'{folder}/work']
        subprocess.run(command, check=True)
        browser = playwright.chromium.launch(
            executable_path=args.chromium, args=['--no-sandbox']
        )
        page = browser.new_page(viewport={'width': WIDTH, 'height': 900})
        page.goto(f'file://{folder}/index.html')
        parts = [
            photograph(page, '.scores', '.classes'),
            photograph(page, '.matrix', '.matrix'),
            photograph(page, '.panels', '.legend'),
        ]
        browser.close()
    picture = cv2.resize(np.vstack(parts), None, fx=0.75, fy=0.75, interpolation=3)
    _, data = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 82])
    (REPOSITORY / 'docs' / 'report.jpg').write_bytes(data.tobytes())


if __name__ == '__main__':
    run_command(main)
