"""The synthetic street scenes: layout on disk, labels, and that they are scenes."""

import json
import re

import cv2
import numpy as np
import pytest
from conversion_sources import by_name

from sctnet.datasets.street_scenes import render_street_scene, write_street_scenes
from sctnet.errors import OutputError

pytestmark = pytest.mark.slow

SMALL = (256, 128)
ROAD, WALK, BUILDING, POLE, LIGHT, SIGN, GREEN, SKY = 0, 1, 2, 5, 6, 7, 8, 10
PERSON, RIDER, CAR, TRUCK, BUS, BICYCLE = 11, 12, 13, 14, 15, 18


@pytest.fixture(scope='module')
def scenes():
    return [render_street_scene(seed, 384, 192) for seed in range(16)]


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """Two scenes to train on and one to validate, of seed 3; and the progress told."""
    told = []
    folder = tmp_path_factory.mktemp('scenes') / 'deep' / 'data'
    root = write_street_scenes(
        folder, 2, 1, SMALL, seed=3, progress=lambda *at: told.append(at)
    )
    assert root == folder
    return root, told


def test_the_seed_decides_and_more_scenes_keep_the_first_ones(written, tmp_path):
    many = by_name(written[0])
    few = by_name(write_street_scenes(tmp_path / 'a', 1, 1, SMALL, seed=3))
    other = by_name(write_street_scenes(tmp_path / 'b', 1, 1, SMALL, seed=4))
    pictures = [name for name in few if name.endswith('.png')]
    assert len({few[name] for name in pictures}) == len(pictures) == 4
    assert all(few[name] == many[name] != other[name] for name in pictures)
    assert few.keys() == other.keys()


def test_layout_is_that_of_cityscapes(written):
    root, told = written
    assert told == [(1, 3), (2, 3), (3, 3)]
    names = sorted(name for name in by_name(root) if '/' in name)
    images = [name for name in names if name.startswith('leftImg8bit/')]
    frame = r'leftImg8bit/(?:train|val)/([a-z]+)/\1_\d{6}_\d{6}_leftImg8bit\.png'
    assert all(re.fullmatch(frame, name) for name in images)
    twins = [
        name.replace('leftImg8bit/', 'gtFine/').replace(
            '_leftImg8bit.png', '_gtFine_labelTrainIds.png'
        )
        for name in images
    ]
    assert names == sorted(images + twins)
    assert [name.split('/')[1] for name in images] == ['train', 'train', 'val']
    image = cv2.imread(str(root / images[0]), cv2.IMREAD_UNCHANGED)
    label = cv2.imread(str(root / twins[0]), cv2.IMREAD_UNCHANGED)
    assert (image.shape, image.dtype) == ((128, 256, 3), np.uint8)
    assert (label.shape, label.dtype) == ((128, 256), np.uint8)


def test_an_interrupted_rewrite_claims_nothing_and_can_be_run_again(tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    write_street_scenes(tmp_path / 'a', 1, 1, SMALL)
    with pytest.raises(KeyboardInterrupt):
        write_street_scenes(tmp_path / 'a', 1, 0, SMALL, seed=5, progress=stop)
    assert len(list((tmp_path / 'a').rglob('*_leftImg8bit.png'))) == 1
    marker = json.loads((tmp_path / 'a' / 'street_scenes.json').read_text())
    assert marker == {'generator': 'sctnet.datasets.street_scenes'}
    again = by_name(write_street_scenes(tmp_path / 'a', 1, 0, SMALL, seed=5))
    assert again == by_name(write_street_scenes(tmp_path / 'b', 1, 0, SMALL, seed=5))
    marker = json.loads(again['street_scenes.json'])
    assert (marker['train'], marker['val'], marker['seed']) == (1, 0, 5)


def test_images_are_bgr_and_labels_are_train_ids(scenes):
    allowed = {*range(19), 255}
    for image, label in scenes:
        assert (image.shape, image.dtype) == ((192, 384, 3), np.uint8)
        assert (label.shape, label.dtype) == ((192, 384), np.uint8)
        assert set(np.unique(label).tolist()) <= allowed
        assert image.std() > 20
    # Over all scenes the sky is bluer than red and the plants are greener than blue.
    sky = np.concatenate([image[label == SKY] for image, label in scenes]).mean(axis=0)
    green = np.concatenate([i[label == GREEN] for i, label in scenes]).mean(axis=0)
    assert sky[0] > sky[2] + 5
    assert green[1] > green[0] + 10


def test_class_shares_are_those_of_a_street(scenes):
    labels = np.stack([label for _, label in scenes])
    pixels = np.bincount(labels.ravel(), minlength=256)
    for some in (WALK, SIGN, LIGHT, RIDER, BICYCLE, [BUS, TRUCK]):
        assert pixels[some].sum() > 100
    share = pixels / labels.size
    for label, (least, most) in {
        ROAD: (0.2, 0.6), BUILDING: (0.1, 0.5), SKY: (0.02, 0.35), WALK: (0.01, 0.25),
        GREEN: (0.03, 0.4), CAR: (0.02, 0.3), PERSON: (0.001, 0.1), POLE: (0.001, 0.06),
    }.items():  # fmt: skip
        assert least < share[label] < most
    for label in labels:
        assert (label == ROAD).mean() > 0.15
        assert (label == CAR).any()


def test_the_road_is_below_and_things_shrink_with_distance(scenes):
    spots = []
    for _, label in scenes:
        rows = np.nonzero(label == SKY)[0]
        assert rows.max(initial=0) < 0.5 * 192
        assert np.nonzero(label == ROAD)[0].min() > 0.35 * 192
        column = label[:, 192]
        assert column[column != 255][-1] == ROAD
        assert (label[:20] != ROAD).all()
        mask = (label == CAR).astype(np.uint8)
        stats = cv2.connectedComponentsWithStats(mask)[2][1:]
        spots += [(s[1] + s[3], s[3]) for s in stats if s[4] > 12]
    # Cars whose feet are lower in the picture are nearer and so taller.
    foot, high = np.array(spots, float).T
    assert np.corrcoef(foot, high)[0, 1] > 0.7


@pytest.mark.parametrize('size', [(300, 200), (128, 64), (256, 256), (333, 111)])
def test_size_changes_the_pixels_but_not_the_scene(size):
    image, label = render_street_scene(5, *size)
    assert image.shape == (size[1], size[0], 3)
    assert label.shape == size[::-1]
    large = render_street_scene(5, 2 * size[0], 2 * size[1])[1]
    assert (large[::2, ::2] == label).mean() > 0.85


SIZE = r'^size is .* must be two integers .*: pass'
COUNT = r'^num_(train|val) is .*: pass|^num_train and num_val are both 0'


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        *(((1, 1, size), SIZE) for size in ((0, 0), (64, 64), (4096, 2048))),
        *(((1, 1, size), SIZE) for size in ((256.0, 128), '256x128')),
        *(
            ((*n, SMALL), COUNT)
            for n in ((-1, 1), (1, -1), (0, 0), (1.5, 1), (True, 1))
        ),
        *(((1, 1, SMALL, seed), 'seed is') for seed in (-1, 1.5, None)),
    ],
)
def test_bad_arguments_are_refused(tmp_path, given, message):
    with pytest.raises(ValueError, match=message):
        write_street_scenes(tmp_path / 'new', *given)
    assert not (tmp_path / 'new').exists()


def test_a_folder_of_others_and_an_unwritable_place_are_refused(tmp_path):
    other = tmp_path / 'leftImg8bit' / 'train' / 'procedural' / 'procedural_1.png'
    other.parent.mkdir(parents=True)
    other.write_bytes(b'not ours')
    with pytest.raises(OutputError, match='name another folder'):
        write_street_scenes(tmp_path, 1, 1, SMALL)
    assert by_name(tmp_path) == {other.relative_to(tmp_path).as_posix(): b'not ours'}
    for place in (other, other / 'below'):
        with pytest.raises(OutputError, match='name a'):
            write_street_scenes(place, 1, 1, SMALL)
