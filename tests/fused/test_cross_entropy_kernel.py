import numpy as np
import torch

from sctnet.models.shortcuts.cross_entropy import blocked_cross_entropy
from sctnet.models.shortcuts.cross_entropy_kernel import (
    LANES,
    ROWS,
    _classes_last,
    cpu_cross_entropy,
)


def test_classes_come_last_and_fill_whole_vectors():
    for classes, padded in ((1, LANES), (LANES, LANES), (LANES + 1, 2 * LANES)):
        logits = np.random.default_rng(0).standard_normal((2, classes, 3, 4))
        out = _classes_last(logits)
        assert out.shape == (2, 3, 4, padded)
        np.testing.assert_array_equal(out[..., :classes].transpose(0, 3, 1, 2), logits)
        assert (np.exp(out[..., classes:]) == 0).all()


def test_parts_of_rows_that_share_neighbours_add_up():
    # Parts end between two rows of logits, of which each is in both.
    for height in (ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 5):
        logits = torch.randn(2, 7, 5, 4, dtype=torch.float64)
        labels = torch.randint(0, 7, (2, height, 9))
        labels[:, 3] = 255
        arguments = (logits, labels, torch.rand(7, dtype=torch.float64), 255)
        pairs = zip(
            cpu_cross_entropy(*arguments),
            blocked_cross_entropy(*arguments),
            strict=True,
        )
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_classes_far_below_the_others_do_not_count():
    logits = torch.full((1, 3, 2, 2), -1e4)
    logits[:, 0] = 0
    labels = torch.zeros(1, 4, 4, dtype=torch.int64)
    loss, correct, gradient = cpu_cross_entropy(logits, labels, torch.ones(3), 255)
    assert loss == 0
    assert correct == 16
    assert gradient.abs().max() < 1e-30


def test_logits_are_left_as_they_are():
    logits = torch.randn(1, LANES, 3, 3)
    before = logits.clone()
    cpu_cross_entropy(logits, torch.zeros(1, 8, 8).long(), torch.ones(LANES), 255)
    assert torch.equal(logits, before)
