"""Take the picture of the page that its README shows."""

import argparse
from pathlib import Path

import cv2
import numpy as np
from browser import chromium, served

PATH = Path(__file__).with_name('screenshot.png')
SIZE = {'width': 1180, 'height': 780}


def main() -> None:
    """Segment the second example, point at a class, take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='of sctnet-t-streets, from `make demo`')
    checkpoint = parser.parse_args().checkpoint
    options = ('--checkpoint', checkpoint, '--device', 'cpu')
    with served(*options) as url, chromium(viewport=SIZE) as page:
        page.goto(url)
        page.locator('#scenes button').nth(1).click()
        page.wait_for_selector('#viewer .stage.filled')
        # Once more: the first picture of a process also waits for its start.
        page.locator('#backend label', has_text='torch').click()
        page.wait_for_selector('#viewer .latency:has-text("torch")')
        page.locator('#backend label', has_text='onnxruntime').click()
        page.wait_for_selector('#viewer .latency:has-text("onnxruntime")')
        page.locator('#viewer .legend button', has_text='car').first.hover()
        page.wait_for_timeout(500)  # the veil fades in
        data = page.screenshot()
    write_small(data)
    print(f'{PATH}: {PATH.stat().st_size:,} bytes')


def write_small(data: bytes) -> None:
    """Write a PNG with 256 colours: a quarter of the bytes, the same to the eye."""
    from PIL import Image

    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    palette = Image.fromarray(picture).quantize(256, dither=Image.Dither.NONE)
    palette.save(PATH, optimize=True)


if __name__ == '__main__':
    main()
