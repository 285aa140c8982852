"""The page on checking names every kind of fault, and its lines do what it says."""

import numpy as np
import pytest
from doc_pages import blocks
from PIL import Image
from support import REPOSITORY

from sctnet.datasets.check.faults import KINDS
from sctnet.datasets.images import read_header

PAGE = 'docs/checking.md'


def test_every_kind_stands_in_the_table_of_its_weight():
    text = (REPOSITORY / PAGE).read_text(encoding='utf-8')
    faults, _, warnings = text.partition('## Warnings')
    for kind, (serious, _, _) in KINDS.items():
        rows = (faults if serious else warnings).split('\n| ')
        assert any(kind in row.partition(' |')[0].split(', ') for row in rows), kind


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_the_tag_is_taken_away_and_the_pixels_stay(tmp_path, suffix):
    (code,) = [block.code for block in blocks(PAGE, 'python')]
    names = {}
    exec(code, names)
    path = tmp_path / f'a{suffix}'
    ramp = np.arange(64 * 48, dtype=np.int64).reshape(48, 64) * 255 // (64 * 48)
    image, exif = Image.fromarray(ramp.astype(np.uint8)).convert('RGB'), Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = 'a camera'
    image.save(path, exif=exif)
    assert read_header(str(path)) == ((64, 48), 6)
    names['take_tag_away'](path)
    assert read_header(str(path)) == ((64, 48), 1)
    changed = np.array(Image.open(path).convert('L')).astype(int)
    assert np.abs(changed - ramp).max() <= 4
