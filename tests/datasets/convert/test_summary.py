"""What a conversion prints: Python that a config takes."""

from pathlib import Path

from sctnet.datasets.convert import Converted
from sctnet.datasets.convert.summary import (
    own_data_lines,
    report_failed,
    report_left_out,
)


def test_the_lines_are_python_that_says_what_was_made():
    classes = tuple(f"the number's {number}" for number in range(30))
    palette = [[number, 2, 3] for number in range(30)]
    lines = own_data_lines(Converted(classes, [], palette, root=Path("it's/here")))
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
    lines = own_data_lines(Converted(('floor', 'wall'), root=Path('data/rooms')))
    assert lines == (
        'own_data = dict(\n'
        "    root='data/rooms',\n"
        "    classes=('floor', 'wall'),\n"
        '    crop=(512, 512),\n'
        ')'
    )


def test_what_was_left_out_is_counted_and_the_broken_are_named_up_to_fifty():
    result = Converted(('a', 'b'))
    assert report_left_out(result) == []
    result.skipped.update({'b': 2, 'a': 1})
    result.examples['b'] = 'x.png'
    result.empty += ['b.jpg', 'c.jpg']
    assert report_left_out(result) == [
        'skipped: 1 a',
        "skipped: 2 b, such as 'x.png'",
        "all background: 2 images without annotation, such as 'b.jpg' (--skip-empty "
        'leaves them out)',
    ]
    lines = report_failed([f'x{number}' for number in range(60)])
    assert (lines[49], lines[50:]) == ('broken: x49', ['broken: 10 more'])
