"""What the check advises is done to each fault: it is gone, and nothing is worse."""

import cv2
import numpy as np
import pytest
from own_folder import (
    CLASSES,
    SIZE,
    image_path,
    label_path,
    truncate,
    write,
    write_config,
    write_own_data,
)
from PIL import Image

from sctnet.catalog import load_config
from sctnet.datasets.check import check_config
from sctnet.datasets.check.faults import KINDS
from sctnet.datasets.convert import convert
from sctnet.datasets.new import new_project

CASES = {}


class Place:
    """A data set that a test spoils and mends; ``cfg`` trains on it."""

    def __init__(self, folder):
        self.folder = folder
        self.root = write_own_data(folder / 'rooms')
        self.image = image_path(self.root, 'train', 2)
        self.labels = label_path(self.root, 'train', 2)
        self.use()

    def use(self, root=None, **values):
        path = write_config(self.folder / 'mine.py', root or self.root, **values)
        self.cfg = load_config(path)

    def each(self, folder, change, part=''):
        for path in sorted((self.root / folder / part).rglob('*.png')):
            write(path, change(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))

    def every(self, change):
        self.each('images', change)

    def relabel(self, change):
        self.each('labels', change)

    def restore(self):
        write_own_data(self.root)

    def convert_masks(self, **options):
        """``sctnet convert masks``, and the config for what it makes."""
        out = self.folder / 'converted'
        labels = self.root / 'labels'
        names = options.pop('classes', CLASSES)
        convert(
            'masks', self.root / 'images', out, masks=labels, classes=names, **options
        )
        self.use(out, classes=names)

    def new(self, root=None):
        """``sctnet new``, whose config is taken."""
        out = self.folder / 'new'
        made = new_project(
            root or self.root, out, student='t', teacher=False, classes=CLASSES
        )
        self.cfg = load_config(made.configs[-1])

    def follow_proposals(self):
        """Add the lines that the check proposes to the config."""
        for proposal in check_config(self.cfg).proposals:
            exec(proposal[proposal.index('model.') :], {'model': self.cfg.model})


def case(kind, detail=None):
    """With a ``detail`` the fault is the only one, and says that."""

    def keep(function):
        CASES.setdefault(kind, []).append((function, detail))
        return function

    return keep


@case('shifted labels')
def shifted(place):
    place.relabel(lambda labels: labels + 1)
    yield
    place.use(reduce_zero_label=True)


@case('one label too many')
def unnamed(place):
    place.use(classes=CLASSES[:2])
    yield
    place.use(classes=CLASSES)


@case('one label too many')
def unlabelled(place):
    place.use(classes=CLASSES[:2])
    yield
    place.use(classes=CLASSES[:2], reduce_zero_label=True)


@case('nothing labelled')
def reduced(place):
    place.relabel(lambda labels: np.zeros_like(labels))
    place.use(reduce_zero_label=True)
    assert 'set reduce_zero_label=False' in check_config(place.cfg).faults[0].detail
    yield
    place.use(reduce_zero_label=False, classes=CLASSES[:2])
    place.relabel(stripes)


def stripes(labels):
    return np.repeat(np.arange(SIZE[1], dtype=np.uint8)[:, None] // 5 % 2, SIZE[0], 1)


@case('nothing labelled')
def marked_by_others(place):
    place.relabel(lambda labels: np.where(labels > 1, 255, 0))
    place.use(reduce_zero_label=True)
    yield
    place.convert_masks(mapping='0:0,255:1', classes=CLASSES[:2])


@case('masks of 0 and 255')
def masks(place):
    place.use(classes=CLASSES[:2])
    place.relabel(lambda labels: np.where(labels > 1, 255, 0))
    yield
    place.convert_masks(mapping='0:0,255:1', classes=CLASSES[:2])


@case('masks of 0 and 255')
def most_are_masks(place):
    place.use(classes=CLASSES[:2])
    place.relabel(lambda labels: np.where(labels > 1, 255, 0))
    for part in ('train', 'val'):
        write(label_path(place.root, part, 0), stripes(None))
    yield  # 1 is the object in the others
    place.convert_masks(mapping='0:0,1:1,255:1', classes=CLASSES[:2])


@case('perhaps masks of 0 and 255')
def some_are_masks(place):
    place.use(classes=CLASSES[:2])
    place.relabel(stripes)
    write(place.labels, stripes(None) * 255)
    yield
    write(place.labels, stripes(None))


@case('class without a pixel')
def unseen(place):
    place.relabel(lambda labels: np.where(labels == 1, 0, labels))
    yield
    place.convert_masks(mapping='0:0,2:1', classes=('floor', 'door'))


@case('class without a pixel')
def not_labelled_yet(place):
    place.each('labels', lambda labels: labels // 2 * 2, 'train')
    yield
    write(place.labels, np.where(stripes(None), 1, 2).astype(np.uint8))


@case('class never seen')
def unseen_in_val(place):
    place.each('labels', lambda labels: labels // 2 * 2, 'val')
    yield
    for part, other in (('images', image_path), ('labels', label_path)):
        old = other(place.root, 'train', 0)
        old.rename(place.root / part / 'val' / old.name)


@case('nearly black images')
def twelve_bits(place):
    place.every(lambda image: image.astype(np.uint16) * 16)
    fault = check_config(place.cfg).serious[0]
    assert fault.detail == (
        'uint16 whose values end at 4080: all below 16 of 255 by LoadImageFromFile'
    )
    yield
    place.new()


@case('nearly black images')
def eight_dark_bits(place):
    place.every(lambda image: image // 16)
    yield
    place.follow_proposals()


@case('nearly black images')
def lost_pictures(place):
    place.every(lambda image: image * 0)
    yield
    place.restore()


@case('flat image', 'values lie within 12')
def one_dark_image(place):
    write(place.image, cv2.imread(str(place.image)) // 20)
    yield
    place.image.unlink()
    place.labels.unlink()


@case('flat image', 'one value alone')
def one_empty_image(place):
    write(place.image, np.full((*SIZE[::-1], 3), (9, 200, 90), np.uint8))
    yield
    place.restore()


@case('bits or bands lost')
def sixteen_bits(place):
    place.every(lambda image: image.astype(np.uint16) * 251)
    yield
    place.new()


@case('bits or bands lost')
def fourth_band(place):
    place.every(lambda image: np.dstack([image, image[..., 0]]))
    yield
    place.new()


@case('bands not read', '3 bands of float32, and LoadImageFromFile reads colours')
def floats(place):
    for path in (place.root / 'images').rglob('*.png'):
        image = cv2.imread(str(path)).astype(np.float32) / 255
        write(path.with_suffix('.tif'), image)
        path.unlink()
    yield
    place.new()


@case('bands not read', '4 bands, and the network takes 3')
def another_network(place):
    place.every(lambda image: np.dstack([image, image[..., 0]]))
    place.new()
    place.cfg.model.backbone.in_channels = 3
    yield
    place.cfg.model.backbone.in_channels = 4


@case('bands not read', '4 bands, and LoadBands takes number 4')
def too_few_bands(place):
    place.every(lambda image: np.dstack([image, image[..., 0]]))
    place.new()
    for loader in (place.cfg.train_dataloader, place.cfg.val_dataloader):
        loader.dataset.pipeline[0]['bands'] = [0, 1, 2, 4]
    yield
    for loader in (place.cfg.train_dataloader, place.cfg.val_dataloader):
        loader.dataset.pipeline[0]['bands'] = [0, 1, 2, 3]


@case('not finite')
def holes(place):
    floats(place).send(None)
    place.new()
    path = place.cfg.train_dataloader.dataset.data_root + '/images/train/train2.tif'
    image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    broken = image.copy()
    broken[3, 3] = np.nan
    cv2.imwrite(path, broken)
    yield
    image[3, 3] = image.mean()
    cv2.imwrite(path, image)


@case('no images')
def empty(place):
    place.use(place.folder)
    for part in ('train', 'val'):
        (place.folder / 'images' / part).mkdir(parents=True)
    yield
    place.use()


@case('missing image')
def listed(place):
    listing = place.folder / 'list.txt'
    listing.write_text('train0\ntrain1\ntrain9\n')
    dataset = place.cfg.train_dataloader.dataset
    dataset.update(type='BaseSegDataset', ann_file=str(listing), img_suffix='.png')
    dataset.update(seg_map_suffix='.png')
    yield
    listing.write_text('train0\ntrain1\n')


@case('missing label map', 'looked for ')
def without_labels(place):
    place.labels.unlink()
    yield
    place.image.rename(place.folder / 'elsewhere.png')


@case('label map alone', 'no image has its name')
def without_image(place):
    place.image.unlink()
    yield
    place.labels.rename(place.folder / 'elsewhere.png')


@case('broken image', 'truncated')
def cut_off(place):
    truncate(place.image)
    yield
    place.restore()


@case('broken label map', 'truncated')
def labels_cut_off(place):
    truncate(place.labels, 0.3)
    yield
    place.restore()


@case('colour label map', '3 channels')
def coloured(place):
    table = np.uint8([(0, 0, 0), (0, 0, 255), (0, 255, 0)])
    place.relabel(lambda labels: table[labels])
    yield
    listing = place.folder / 'colours.txt'
    listing.write_text('floor,0,0,0\nwall,255,0,0\ndoor,0,255,0\n')
    out, labels = place.folder / 'converted', place.root / 'labels'
    convert('colours', place.root / 'images', out, masks=labels, colours=listing)
    place.use(out)


def tag(path, number):
    """Give a picture an orientation tag."""
    image = Image.open(path)
    image.load()
    exif = Image.Exif()
    exif[0x0112] = number
    image.save(path, exif=exif)


@case('turned image', 'tag 6; stored image 80x96, label map 96x80')
def portrait(place):
    tag(place.image, 6)
    yield
    tag(place.image, 1)


@case('perhaps turned', 'tag 3')
def upside_down(place):
    tag(place.image, 3)
    yield
    tag(place.image, 1)


@case('size mismatch', 'image 96x80, label map 48x40')
def smaller(place):
    write(place.labels, np.zeros((40, 48), np.uint8))
    yield
    place.restore()


@case('labels outside')
def other_numbers(place):
    place.relabel(lambda labels: np.uint8([0, 7, 11])[labels])
    yield
    place.convert_masks(mapping='0:0,7:1,11:2')


@case('labels outside')
def more_classes(place):
    place.relabel(lambda labels: labels + 2 * (labels > 1).astype(np.uint8))
    place.use(classes=CLASSES[:2])
    yield
    place.convert_masks(mapping='0:0,1:1,4:ignore', classes=CLASSES[:2])


@case('in two parts', 'same pixels as ')
def both(place):
    place.image.write_bytes(image_path(place.root, 'val', 0).read_bytes())
    yield
    place.image.unlink()
    place.labels.unlink()


@case('twice', 'same pixels as ')
def again(place):
    place.image.write_bytes(image_path(place.root, 'train', 0).read_bytes())
    yield
    place.image.unlink()
    place.labels.unlink()


@case('near duplicate')
def frames_of_a_video(place):
    for number in range(2):  # a scene of each training image, a moment later
        before = cv2.imread(str(image_path(place.root, 'train', number)))
        write(image_path(place.root, 'val', number), np.roll(before, 1, 1) // 10 * 9)
    yield
    mixed = place.folder / 'mixed'
    for part in ('train', 'val'):
        for kind in ('images', 'labels'):
            for path in sorted((place.root / kind / part).iterdir()):
                number = int(path.stem.removeprefix(part))
                to = mixed / kind / f'scene{number}_{part}.png'
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(path.read_bytes())
    place.root = mixed
    place.convert_masks(group='scene[0-9]+', val=0.3)


@case('near duplicate')
def two_photographs(place):
    first = cv2.imread(str(image_path(place.root, 'train', 0)))
    write(image_path(place.root, 'val', 0), first // 10 * 9)
    yield
    image_path(place.root, 'train', 0).unlink()
    label_path(place.root, 'train', 0).unlink()


@case('perhaps shifted')
def from_one(place):
    place.relabel(lambda labels: np.where(labels > 1, 2, 1).astype(np.uint8))
    yield  # a look shows that 1 is the first class
    place.use(classes=CLASSES[:2], reduce_zero_label=True)


@case('empty label map', 'every pixel is to be ignored')
def ignored(place):
    write(place.labels, np.full(SIZE[::-1], 255, np.uint8))
    yield
    place.image.unlink()
    place.labels.unlink()


def test_every_kind_of_fault_has_a_case():
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize(
    ('kind', 'spoil', 'detail'),
    [(kind, *one) for kind, cases in CASES.items() for one in cases],
    ids=lambda value: getattr(value, '__name__', value),
)
def test_the_remedy_mends_the_fault_and_brings_no_other(kind, spoil, detail, tmp_path):
    place = Place(tmp_path)
    assert not check_config(place.cfg).faults
    mending = spoil(place)
    next(mending)
    before = check_config(place.cfg)
    assert kind in {fault.kind for fault in before.faults}
    if detail:
        assert {fault.kind for fault in before.faults} == {kind}
        assert detail in before.faults[0].detail
        paths = ' '.join(fault.path for fault in before.faults)
        assert 'train2' in paths or 'val0' in paths
        assert bool(before.serious) == KINDS[kind][0] != bool(before.warnings)
    next(mending, None)
    after = check_config(place.cfg)
    assert kind not in {fault.kind for fault in after.faults}
    assert not after.serious
