"""BDD100K: bdd100k_images_10k.zip and bdd100k_sem_seg_labels_trainval.zip."""

from ..folders import Folder

FOLDER = 'bdd100k'
COUNTS = {'train': 7000, 'val': 1000, 'test': 2000}
IMAGES, LABELS = 'images/10k', 'labels/sem_seg/masks'
FOLDERS = [
    Folder(
        f'{folder}/{part}',
        f'{folder}/{part}',
        suffix,
        count,
        optional=part == 'test',
    )
    for folder, suffix in ((IMAGES, '.jpg'), (LABELS, '.png'))
    for part, count in COUNTS.items()
    if (folder, part) != (LABELS, 'test')  # not published
]
PAIRS = {f'{LABELS}/{part}': f'{IMAGES}/{part}' for part in ('train', 'val')}
EXPECTED = 'bdd100k_images_10k.zip and bdd100k_sem_seg_labels_trainval.zip'
