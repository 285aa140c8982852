"""Take the picture of the page that its README shows."""

import argparse
from pathlib import Path

from browser import chromium, served

PATH = Path(__file__).with_name('screenshot.jpg')
SIZE = {'width': 1240, 'height': 780}
AT = (0.3, 0.5)  # where in the picture the pointer is: on a car


def main() -> None:
    """Segment an example, point at a car, take the picture."""
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
        picture = page.locator('#viewer .picture').bounding_box()
        width, height = picture['width'], picture['height']
        page.locator('#viewer .stage').hover(
            position={'x': AT[0] * width, 'y': AT[1] * height}
        )
        page.screenshot(path=PATH, type='jpeg', quality=90)
    print(f'{PATH.name}: {PATH.stat().st_size:,} bytes')


if __name__ == '__main__':
    main()
