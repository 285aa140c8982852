"""What the check proposes, which can be pasted, and that it is silent otherwise."""

import cv2
import numpy as np
import pytest
from own_folder import image_path, label_path, write, write_config, write_own_data

from sctnet.catalog import load_config
from sctnet.datasets.check import check_config
from sctnet.datasets.check.report import as_json, print_summary
from sctnet.datasets.statistics import BandSums, class_weights, fitting_crop
from sctnet.evaluation.dataset_page import write_dataset_page


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path / 'rooms')


def config(root, **more):
    return load_config(write_config(root.parent / 'mine.py', root, **more))


def test_nothing_is_proposed_for_pictures_of_common_classes(root):
    assert not check_config(config(root)).proposals


def test_weights_are_proposed_for_rare_classes_until_there_are_some(root, capsys):
    for number in range(4):
        labels = np.zeros((80, 96), np.uint8)
        labels[:20], labels[0, :40] = 1, 2
        write(label_path(root, 'train', number), labels)
    cfg = config(root)
    result = check_config(cfg)
    (proposal,) = result.proposals
    assert proposal.startswith('the commonest class has 144 times the pixels')
    exec(proposal[proposal.index('model.update') :], {'model': cfg.model})
    shares = np.array([5760, 1880, 40]) / 7680
    expected = shares**-0.5 / (shares**-0.5).mean()
    weights = cfg.model.decode_head.loss_decode.class_weight
    assert np.allclose(weights, expected, atol=1e-3)
    assert not check_config(cfg).proposals
    print_summary(result)
    assert f'proposal: {proposal}\n' in capsys.readouterr().out
    assert as_json(result)['proposals'] == [proposal]
    write_dataset_page(result, 'rooms', root / 'page.html')
    assert 'the commonest class has 144 times' in (root / 'page.html').read_text()


def test_a_crop_that_the_images_do_not_fill_is_named(root):
    (proposal,) = check_config(config(root, crop=(128, 128))).proposals
    assert 'have a short side of 80 and a training sees 128x128' in proposal
    assert proposal.endswith('a crop of 64x64 lies within them')
    assert not check_config(config(root, crop=(64, 64))).proposals


def test_mean_and_std_are_proposed_in_the_order_of_the_config(root):
    for number in range(4):
        path = image_path(root, 'train', number)
        image = cv2.imread(str(path)) // 4
        image[..., 0] += 190  # blue comes first
        write(path, image)
    cfg = config(root)
    (proposal,) = check_config(cfg).proposals
    exec(proposal[proposal.index('model.update') :], {'model': cfg.model})
    mean, std = (cfg.model.data_preprocessor[key] for key in ('mean', 'std'))
    images = [cv2.imread(str(image_path(root, 'train', n)))[::4, ::4] for n in range(4)]
    pixels = np.concatenate([image.reshape(-1, 3) for image in images])[:, ::-1]
    assert np.allclose(mean, pixels.mean(0), rtol=1e-3)
    assert np.allclose(std, pixels.std(0), rtol=1e-3)
    assert mean[2] > 190 > mean[0]
    assert not check_config(cfg).proposals


def test_pictures_of_little_contrast_are_far_from_the_std_alone(root):
    for number in range(4):
        path = image_path(root, 'train', number)
        write(path, cv2.imread(str(path)) // 4 + 85)
    (proposal,) = check_config(config(root)).proposals
    assert proposal.startswith('the images are far from the mean and std')


def test_sums_of_images_are_those_of_their_pixels():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 65536, (40, 40 * n, 2), np.uint16) for n in (1, 2)]
    sums = BandSums.of(images[0]) + BandSums.of(images[1])
    pixels = np.concatenate([image[::4, ::4].reshape(-1, 2) for image in images])
    assert np.allclose(sums.mean, pixels.mean(0))
    assert np.allclose(sums.std, pixels.std(0))
    assert BandSums.of(np.full((9, 9, 1), 7.0)).std == [1e-6]


def test_weights_of_classes_and_crops():
    assert class_weights([100, 100]) == [1, 1]
    roots = np.array([0.9**-0.5, 0.1**-0.5, 1])
    weights = class_weights([90, 10, 0])
    assert np.allclose(weights, roots / roots.mean(), atol=1e-3)
    assert [fitting_crop(side, 512) for side in (1000, 512, 511, 95, 30)] == [
        512, 512, 480, 64, 64,
    ]  # fmt: skip
