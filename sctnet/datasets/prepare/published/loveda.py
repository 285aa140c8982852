"""LoveDA: Train.zip, Val.zip and Test.zip, town and country put together.

The layout is that of mmseg. Label 0, no data, becomes 255 by ``reduce_zero_label``.
"""

from ..folders import Folder

FOLDER = 'loveDA'
COUNTS = {
    'Train': {'Rural': 1366, 'Urban': 1156},
    'Val': {'Rural': 992, 'Urban': 677},
    'Test': {'Rural': 976, 'Urban': 820},
}
FOLDERS = [
    Folder(
        f'{part}/{area}/{source}',
        f'{target}/{part.lower()}',
        '.png',
        count,
        optional=part == 'Test',
    )
    for part, areas in COUNTS.items()
    for area, count in areas.items()
    for source, target in (('images_png', 'img_dir'), ('masks_png', 'ann_dir'))
    if (part, source) != ('Test', 'masks_png')  # not published
]
PAIRS = {f'ann_dir/{part}': f'img_dir/{part}' for part in ('train', 'val')}
EXPECTED = 'Train.zip and Val.zip'
