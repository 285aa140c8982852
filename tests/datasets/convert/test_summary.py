"""What a conversion prints: what was left out, and what is broken."""

from collections import Counter

from sctnet.datasets.convert import Converted
from sctnet.datasets.convert.annotated_images import Noted
from sctnet.datasets.convert.summary import report_failed, report_left_out


def test_what_was_left_out_is_counted_and_the_broken_are_named_up_to_fifty():
    result = Converted(('a', 'b'))
    assert report_left_out(result) == []
    result.skipped.update({'b': 2, 'a': 1, Noted('used'): 3})
    result.examples['b'] = 'x.png'
    result.empty += ['b.jpg', 'c.jpg']
    assert report_left_out(result) == [
        'skipped: 1 a',
        "skipped: 2 b, such as 'x.png'",
        'noted: 3 used',
        "all background: 2 images without annotation, such as 'b.jpg' (--skip-empty "
        'leaves them out)',
    ]
    result = Converted(
        ('a', 'b'), skipped=Counter({Noted('pixels of colours, now 255'): 1})
    )
    assert report_left_out(result) == ['noted: 1 pixel of colours, now 255']
    lines = report_failed([f'x{number}' for number in range(60)])
    assert (lines[49], lines[50:]) == ('broken: x49', ['broken: 10 more'])
