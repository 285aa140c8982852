"""The size that an annotation states is compared with the image's, however written."""

import pytest

from sctnet.datasets.convert.annotated_images import check_size
from sctnet.errors import DataError

SIZE = (72, 96)


@pytest.mark.parametrize(
    'stated',
    [
        (72, 96),
        ('72', '96'),
        (72.0, '96.0'),
        (None, None),
        (0, 0),
        ('', 'x'),
        (72, None),
    ],
)
def test_the_same_size_or_none_is_fine(stated):
    check_size(stated, SIZE)


@pytest.mark.parametrize('stated', [(96, 72), ('72', '95'), (1e9, 1)])
def test_another_one_is_said(stated):
    with pytest.raises(DataError, match='and the image has 96x72'):
        check_size(stated, SIZE)
