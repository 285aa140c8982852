"""What a conversion prints: Python that a config takes."""

from collections import Counter
from pathlib import Path

from sctnet.datasets.convert import Converted
from sctnet.datasets.convert.summary import (
    own_data_lines,
    report_empty,
    report_failed,
    report_skipped,
)


def test_the_lines_are_python_that_says_what_was_made():
    classes = tuple(f"the number's {number}" for number in range(30))
    palette = [[number, 2, 3] for number in range(30)]
    lines = own_data_lines(Converted(Path("it's/here"), classes, palette))
    assert max(map(len, lines.splitlines())) <= 88
    names = {}
    exec(lines, names)  # our own text
    assert names['own_data'] == {
        'root': "it's/here",
        'classes': classes,
        'palette': tuple(tuple(colour) for colour in palette),
        'crop': (512, 512),
    }


def test_few_classes_stand_on_one_line_and_no_palette_is_none():
    lines = own_data_lines(Converted(Path('data/rooms'), ('floor', 'wall'), None))
    assert lines == (
        'own_data = dict(\n'
        "    root='data/rooms',\n"
        "    classes=('floor', 'wall'),\n"
        '    crop=(512, 512),\n'
        ')'
    )


def test_reasons_are_counted_and_the_broken_named_up_to_fifty():
    assert report_skipped(Counter({'b': 2, 'a': 1}), {'b': 'x.png'}) == [
        'skipped: 1 a',
        "skipped: 2 b, such as 'x.png'",
    ]
    lines = report_failed([f'x{number}' for number in range(60)])
    assert (lines[49], lines[50:]) == ('broken: x49', ['broken: 10 more'])
    assert report_failed(['x']) == ['broken: x']


def test_images_that_are_background_all_over_are_one_line():
    assert report_empty([]) == []
    assert report_empty(['b.jpg', 'c.jpg']) == [
        "all background: 2 images without annotation, such as 'b.jpg' (--skip-empty "
        'leaves them out)'
    ]
