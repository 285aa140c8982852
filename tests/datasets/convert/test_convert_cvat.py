"""CVAT for images 1.1, in the form that CVAT 2.x writes (formats/cvat.py there)."""

import numpy as np
import pytest
from conversion_sources import (
    LARGE,
    SIZE,
    SMALL,
    expected,
    labels_of,
    made,
    outline,
    picture,
)  # fmt: skip

from sctnet.datasets.convert import convert
from sctnet.errors import DataError

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>7</id>
      <name>rooms</name>
      <size>2</size>
      <mode>annotation</mode>
      <labels>
        <label>
          <name>wall</name>
          <color>#33ddff</color>
          <type>any</type>
          <attributes>
          </attributes>
        </label>
        <label>
          <name>door</name>
          <color>#fa3253</color>
          <type>any</type>
          <attributes>
          </attributes>
        </label>
      </labels>
    </task>
    <dumped>2026-11-28 10:00:00.000000+00:00</dumped>
  </meta>
"""
IMAGE = '  <image id="{}" name="{}" {}width="96" height="72">\n{}  </image>\n'


def polygon(rectangle, label, z_order=0):
    flat = outline(rectangle)
    points = ';'.join(f'{x:.2f},{y:.2f}' for x, y in np.reshape(flat, (-1, 2)))
    return (
        f'    <polygon label="{label}" source="manual" occluded="0" points="{points}" '
        f'z_order="{z_order}">\n    </polygon>\n'
    )


def mask(covered, label, z_order=0):
    """A brush stroke: runs along the rows of its box, the first of zeros."""
    rows, columns = (np.flatnonzero(covered.any(axis)) for axis in (1, 0))
    box = covered[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    flat = box.ravel().astype(int)
    edges = np.flatnonzero(np.diff(flat, prepend=0)).tolist()
    runs = np.diff([0, *edges, flat.size]).tolist()
    return (
        f'    <mask label="{label}" source="semi-auto" occluded="0" '
        f'rle="{", ".join(map(str, runs))}" left="{columns[0]}" top="{rows[0]}" '
        f'width="{box.shape[1]}" height="{box.shape[0]}" z_order="{z_order}">\n'
        '    </mask>\n'
    )


@pytest.fixture
def run(tmp_path):
    def make(*images, out='out', text=None, **options):
        body = ''.join(IMAGE.format(n, *image) for n, image in enumerate(images))
        file = tmp_path / 'export/annotations.xml'
        file.parent.mkdir(exist_ok=True)
        file.write_text(text or f'{HEAD}{body}</annotations>\n')
        for n, (name, subset, _) in enumerate(images):
            folder = subset.partition('"')[2].partition('"')[0]
            picture(tmp_path / 'export/images' / folder / name, n)
        options = {'workers': 0, 'val': 0.0, **options}
        return convert('cvat', file.parent, tmp_path / out, **options)

    return make


def test_polygons_and_masks_lie_by_their_z_order(run, tmp_path):
    shapes = polygon(SMALL, 'door', 2) + polygon(LARGE, 'wall', 1)
    result = run(('a.jpg', '', shapes))
    assert result.classes == ('background', 'wall', 'door')  # as in the task
    drawn = expected((LARGE, 1), (SMALL, 2))
    np.testing.assert_array_equal(labels_of(tmp_path / 'out', 'a'), drawn)
    blob = np.zeros(SIZE, bool)
    blob[20:40, 30:50] = True
    blob[20:30, 30:40] = False  # a notch tells rows from columns
    blob[50, 75] = True
    run(('a.jpg', '', mask(blob, 'door', 1) + polygon(LARGE, 'wall')), out='masks')
    drawn = np.where(blob, 2, expected((LARGE, 1)))
    np.testing.assert_array_equal(labels_of(tmp_path / 'masks', 'a'), drawn)
    assert result.palette == [[0, 0, 0], [51, 221, 255], [250, 50, 83]]


def test_boxes_and_ellipses_may_be_turned_and_lines_are_counted(run, tmp_path):
    box = (
        '    <box label="door" source="manual" occluded="0" xtl="20.00" ytl="30.00" '
        'xbr="60.00" ybr="40.00" rotation="90.00" z_order="0">\n    </box>\n'
    )
    ellipse = (
        '    <ellipse label="wall" source="manual" occluded="0" cx="70.00" cy="35.00" '
        'rx="5.00" ry="20.00" z_order="0">\n    </ellipse>\n'
    )
    rest = (
        '    <polyline label="wall" source="manual" occluded="0" '
        'points="1.00,2.00;3.00,4.00" z_order="0">\n    </polyline>\n'
        '    <points label="wall" source="manual" occluded="0" points="1.00,2.00" '
        'z_order="0">\n    </points>\n    <tag label="wall" source="manual">\n'
        '    </tag>\n'
    )
    result = run(('a.jpg', '', box + ellipse + rest))
    assert result.skipped == {
        'shapes of kind polyline': 1,
        'shapes of kind points': 1,
        'shapes of kind tag': 1,
    }
    labels = labels_of(tmp_path / 'out', 'a')
    door = np.argwhere(labels == 2)
    assert (door.min(0).tolist(), door.max(0).tolist()) == ([15, 35], [54, 44])
    wall = np.argwhere(labels == 1)
    assert len(wall) == pytest.approx(np.pi * 5 * 20, rel=0.05)
    assert abs(wall.mean(0) - (34.5, 69.5)).max() < 0.3
    with pytest.raises(DataError, match=r'nothing in .* is segmented'):
        run(('a.jpg', '', rest), out='new')


def test_subsets_and_folders_are_the_parts(run, tmp_path):
    run(
        ('a.jpg', 'subset="Train" task_id="3" ', polygon(LARGE, 'wall')),
        ('a.jpg', 'subset="Validation" task_id="4" ', polygon(SMALL, 'door')),
        ('test/deep/b.jpg', '', polygon(SMALL, 'door')),
    )
    assert [name for name in made(tmp_path / 'out') if name.startswith('labels')] == [
        'labels/test/deep/b.png', 'labels/train/a.png', 'labels/val/a.png',
    ]  # fmt: skip
    drawn = expected((SMALL, 2))
    np.testing.assert_array_equal(labels_of(tmp_path / 'out', 'a', 'val'), drawn)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('<annotations>', 'is no XML, or is cut off'),
        ('<annotation/>', "has no XML of CVAT's below it"),
        ('<annotations-of-another/>', "has no XML of CVAT's below it"),
        ('<annotations><track id="0" label="a"/></annotations>', "CVAT's for videos"),
        (
            '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>'
            '<annotations>&c;</annotations>',
            'it has a DOCTYPE',
        ),
    ],
)
def test_another_file_is_one_sentence(run, text, message):
    with pytest.raises(DataError, match=message):
        run(text=text)


def test_a_file_that_is_named_is_no_other_tools(run, tmp_path):
    file = tmp_path / 'voc.xml'
    file.write_text('<annotation/>')
    with pytest.raises(DataError, match="is a 'annotation': export"):
        convert('cvat', file, tmp_path / 'out')


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('rle="0,', 'rle="1,', 'its runs cover 1001 pixels of 1000'),
        ('left="20"', 'left="90"', 'it covers columns 90 to 110'),
        ('rle="0,', 'rle="x,', 'mask 1 of the image'),
    ],
)
def test_a_broken_shape_is_named(run, old, new, message):
    blob = np.zeros(SIZE, bool)
    blob[10:60, 20:40] = True
    shape = mask(blob, 'door')
    assert old in shape
    images = ('a.jpg', '', shape.replace(old, new)), ('b.jpg', '', shape)
    (failure,) = run(*images).failed
    assert message in failure
    assert "annotations.xml'" in failure
