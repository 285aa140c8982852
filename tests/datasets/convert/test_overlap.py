"""Which of several shapes is seen, and which of them are told to be hidden."""

from collections import Counter
from functools import partial

import numpy as np
import pytest

from sctnet.datasets.convert.overlap import Shape, check_order, paint
from sctnet.errors import ArgumentError

SIZE = (20, 30)
NAMES = ('background', 'door', 'body')


def shape(label, top, left, bottom, right):
    mask = np.zeros(SIZE, bool)
    mask[top:bottom, left:right] = True
    return Shape(label, partial(mask.copy))


DOOR, BODY = shape(1, 5, 5, 15, 10), shape(2, 2, 2, 18, 28)
SAID = {'shapes hidden by others, door under body (see --order)': 1}


@pytest.mark.parametrize(
    ('order', 'shapes', 'door', 'said'),
    [
        ('file', [BODY, DOOR], 50, {}),
        ('file', [DOOR, BODY], 0, SAID),
        ('area', [DOOR, BODY], 50, {}),
        ('area', [BODY, DOOR], 50, {}),
        ('classes', [DOOR, BODY], 0, SAID),
        ('classes', [BODY, DOOR], 0, SAID),
    ],
)
def test_the_order_says_who_is_on_top(order, shapes, door, said):
    notes = Counter()
    labels = paint(shapes, SIZE, 0, order, NAMES, notes)
    assert labels.dtype == np.uint8
    assert np.bincount(labels.ravel(), minlength=3).tolist() == [
        600 - 16 * 26,
        door,
        16 * 26 - door,
    ]
    assert notes == said


def test_what_is_mostly_seen_or_covered_by_its_own_class_is_not_told():
    notes = Counter()
    half = shape(2, 5, 5, 14, 10)  # nine tenths, less one row
    paint([DOOR, shape(2, 5, 5, 13, 10)], SIZE, 0, 'file', NAMES, notes)
    paint([DOOR, DOOR], SIZE, 0, 'file', NAMES, notes)
    assert not notes
    paint([DOOR, half], SIZE, 0, 'file', NAMES, notes)
    assert notes == SAID


def test_shapes_outside_and_those_to_ignore():
    notes = Counter()
    ignored = Shape(255, BODY.cover)
    labels = paint(
        [shape(1, 0, 0, 0, 0), DOOR, ignored], SIZE, 255, 'file', NAMES, notes
    )
    assert np.unique(labels).tolist() == [255]
    assert notes == {
        'shapes without a pixel in the image': 1,
        'shapes hidden by others, door under ignore (see --order)': 1,
    }
    assert paint([], SIZE, 7, 'area', NAMES, notes).tolist() == [[7] * 30] * 20


def test_other_orders_are_refused():
    with pytest.raises(ArgumentError, match='expected one of file, area, classes'):
        check_order('size')
