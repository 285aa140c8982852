"""The synthetic street scenes: layout on disk, labels, and that they are scenes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from sctnet.datasets.street_scenes import render_street_scene, write_street_scenes
from sctnet.errors import OutputError

SMALL = (256, 128)
ROAD, WALK, BUILDING, POLE, LIGHT, SIGN, GREEN, SKY = 0, 1, 2, 5, 6, 7, 8, 10
PERSON, RIDER, CAR, TRUCK, BUS, BICYCLE = 11, 12, 13, 14, 15, 18


@pytest.fixture(scope='module')
def scenes() -> list[tuple[np.ndarray, np.ndarray]]:
    return [render_street_scene(seed, 384, 192) for seed in range(16)]


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob('*') if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_same_seed_same_bytes_and_other_seed_other_bytes(tmp_path: Path) -> None:
    first = contents(write_street_scenes(tmp_path / 'a', 1, 1, SMALL, seed=3))
    again = contents(write_street_scenes(tmp_path / 'b', 1, 1, SMALL, seed=3))
    other = contents(write_street_scenes(tmp_path / 'c', 1, 1, SMALL, seed=4))
    assert first == again
    assert first.keys() == other.keys()
    pictures = [name for name in first if name.endswith('.png')]
    assert all(first[name] != other[name] for name in pictures)
    assert len({first[name] for name in pictures}) == len(pictures) == 4


def test_layout_is_that_of_cityscapes(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    root = write_street_scenes(
        tmp_path / 'deep' / 'data', 2, 1, SMALL, progress=lambda *at: calls.append(at)
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert root == tmp_path / 'deep' / 'data'
    names = sorted(name for name in contents(root) if '/' in name)
    images = [name for name in names if name.startswith('leftImg8bit/')]
    frame = r'([a-z]+)/\1_\d{6}_\d{6}'
    for name in images:
        assert re.fullmatch(
            rf'leftImg8bit/(?:train|val)/{frame}_leftImg8bit\.png', name
        )
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


def test_writing_again_leaves_no_old_scenes(tmp_path: Path) -> None:
    write_street_scenes(tmp_path, 2, 1, SMALL)
    write_street_scenes(tmp_path, 1, 1, SMALL)
    assert len(list(tmp_path.rglob('*_leftImg8bit.png'))) == 2
    assert len(list(tmp_path.rglob('*_labelTrainIds.png'))) == 2


def test_an_interrupted_rewrite_claims_nothing_and_can_be_run_again(
    tmp_path: Path,
) -> None:
    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    write_street_scenes(tmp_path / 'a', 3, 1, SMALL)
    with pytest.raises(KeyboardInterrupt):
        write_street_scenes(tmp_path / 'a', 2, 1, SMALL, seed=5, progress=stop)
    assert len(list((tmp_path / 'a').rglob('*_leftImg8bit.png'))) == 1
    marker = json.loads((tmp_path / 'a' / 'street_scenes.json').read_text())
    assert marker == {'generator': 'sctnet.datasets.street_scenes'}
    again = contents(write_street_scenes(tmp_path / 'a', 2, 1, SMALL, seed=5))
    fresh = contents(write_street_scenes(tmp_path / 'b', 2, 1, SMALL, seed=5))
    assert again == fresh
    marker = json.loads(again['street_scenes.json'])
    assert (marker['train'], marker['val'], marker['seed']) == (2, 1, 5)


def test_more_scenes_keep_the_first_ones(tmp_path: Path) -> None:
    few = contents(write_street_scenes(tmp_path / 'a', 1, 1, SMALL))
    many = contents(write_street_scenes(tmp_path / 'b', 2, 1, SMALL))
    assert all(many[name] == few[name] for name in few if name.endswith('.png'))


def test_image_and_label_types(scenes: list) -> None:
    allowed = {*range(19), 255}
    for image, label in scenes:
        assert (image.shape, image.dtype) == ((192, 384, 3), np.uint8)
        assert (label.shape, label.dtype) == ((192, 384), np.uint8)
        assert set(np.unique(label).tolist()) <= allowed
        assert image.std() > 20


def test_images_are_bgr(scenes: list) -> None:
    # Over all scenes the sky is bluer than red and the plants are greener than blue.
    sky = np.concatenate([image[label == SKY] for image, label in scenes]).mean(axis=0)
    green = np.concatenate([i[label == GREEN] for i, label in scenes]).mean(axis=0)
    assert sky[0] > sky[2] + 5
    assert green[1] > green[0] + 10


@pytest.mark.parametrize(
    'ids',
    [(ROAD,), (WALK,), (BUILDING,), (SKY,), (GREEN,), (POLE,), (SIGN,), (LIGHT,),
     (PERSON,), (RIDER,), (BICYCLE,), (CAR,), (BUS, TRUCK)],
)  # fmt: skip
def test_class_appears(scenes: list, ids: tuple[int, ...]) -> None:
    pixels = sum(int(np.isin(label, ids).sum()) for _, label in scenes)
    assert pixels > 100


def test_class_shares_are_those_of_a_street(scenes: list) -> None:
    labels = np.stack([label for _, label in scenes])
    share = np.bincount(labels.ravel(), minlength=256) / labels.size
    assert 0.2 < share[ROAD] < 0.6
    assert 0.1 < share[BUILDING] < 0.5
    assert 0.02 < share[SKY] < 0.35
    assert 0.01 < share[WALK] < 0.25
    assert 0.03 < share[GREEN] < 0.4
    assert 0.02 < share[CAR] < 0.3
    assert 0.001 < share[PERSON] < 0.1
    assert 0.001 < share[POLE] < 0.06
    for label in labels:
        assert (label == ROAD).mean() > 0.15
        assert (label == CAR).any()


def test_geometry(scenes: list) -> None:
    for _, label in scenes:
        rows = np.nonzero(label == SKY)[0]
        assert rows.max(initial=0) < 0.5 * 192
        assert np.nonzero(label == ROAD)[0].min() > 0.35 * 192
        column = label[:, 192]
        assert column[column != 255][-1] == ROAD
        assert (label[:20] != ROAD).all()


def test_things_shrink_with_distance(scenes: list) -> None:
    """Cars whose feet are lower in the picture are nearer and so taller."""
    spots = []
    for _, label in scenes:
        mask = (label == CAR).astype(np.uint8)
        stats = cv2.connectedComponentsWithStats(mask)[2][1:]
        spots += [(s[1] + s[3], s[3]) for s in stats if s[4] > 12]
    foot, high = np.array(spots, float).T
    assert np.corrcoef(foot, high)[0, 1] > 0.7


def test_size_changes_the_pixels_but_not_the_scene() -> None:
    small = render_street_scene(5, 256, 128)[1]
    large = render_street_scene(5, 512, 256)[1]
    assert (large[::2, ::2] == small).mean() > 0.85


@pytest.mark.parametrize('size', [(300, 200), (128, 64), (256, 256), (333, 111)])
def test_other_sizes(size: tuple[int, int]) -> None:
    image, label = render_street_scene(1, *size)
    assert image.shape == (size[1], size[0], 3)
    assert label.shape == size[::-1]
    assert (label == ROAD).mean() > 0.1


@pytest.mark.parametrize(
    'size', [(0, 0), (64, 64), (4096, 2048), (256.0, 128), '256x128']
)
def test_bad_sizes_are_refused(tmp_path: Path, size: object) -> None:
    with pytest.raises(ValueError, match=r'^size is .* must be two integers .*: pass'):
        write_street_scenes(tmp_path / 'new', 1, 1, size)  # type: ignore[arg-type]
    assert not (tmp_path / 'new').exists()


@pytest.mark.parametrize('counts', [(-1, 1), (1, -1), (0, 0), (1.5, 1), (True, 1)])
def test_bad_counts_are_refused(tmp_path: Path, counts: tuple) -> None:
    with pytest.raises(
        ValueError,
        match=r'^num_(train|val) is .*: pass|^num_train and num_val are both 0',
    ):
        write_street_scenes(tmp_path / 'new', *counts, SMALL)
    assert not (tmp_path / 'new').exists()


@pytest.mark.parametrize('seed', [-1, 1.5, None])
def test_bad_seeds_are_refused(seed: object) -> None:
    with pytest.raises(ValueError, match='seed is'):
        render_street_scene(seed)  # type: ignore[arg-type]


def test_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    other = tmp_path / 'leftImg8bit' / 'train' / 'procedural' / 'procedural_1.png'
    other.parent.mkdir(parents=True)
    other.write_bytes(b'not ours')
    with pytest.raises(OutputError, match='name another folder'):
        write_street_scenes(tmp_path, 1, 1, SMALL)
    assert contents(tmp_path) == {other.relative_to(tmp_path).as_posix(): b'not ours'}


def test_an_unwritable_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('x')
    for place in (tmp_path / 'file', tmp_path / 'file' / 'below'):
        with pytest.raises(OutputError, match='name a'):
            write_street_scenes(place, 1, 1, SMALL)


def test_a_failed_write_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.replace', full)
    with pytest.raises(OutputError, match='No space left on device'):
        write_street_scenes(tmp_path / 'new', 1, 1, SMALL)
    assert contents(tmp_path / 'new') == {}
