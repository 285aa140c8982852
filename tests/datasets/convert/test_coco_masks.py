"""Polygons are drawn as pycocotools draws them."""

import numpy as np
from conversion_sources import (
    SIZE,
)  # fmt: skip

from sctnet.datasets.convert.formats.coco.masks import to_rle


def test_a_polygon_is_what_pycocotools_makes_of_it():
    from pycocotools import mask as coco_mask

    triangle = [10.3, 5.2, 80.7, 30.1, 22.9, 66.6]
    ours = coco_mask.decode(to_rle([triangle], SIZE, None))
    theirs = coco_mask.decode(coco_mask.frPyObjects([triangle], *SIZE))[..., 0]
    np.testing.assert_array_equal(ours, theirs)
