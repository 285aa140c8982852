"""The name of what a config builds, whichever way it is given."""

import pytest

from sctnet.compat.config_types import kind_of
from sctnet.models import SCTNet


@pytest.mark.parametrize(
    ('config', 'name'),
    [
        ({'type': 'SCTNet'}, 'SCTNet'),
        ({'type': 'mmseg.SCTNet'}, 'SCTNet'),
        ({'type': SCTNet}, 'SCTNet'),
        ({}, ''),
    ],
)
def test_names_classes_and_nothing(config, name):
    assert kind_of(config) == name
