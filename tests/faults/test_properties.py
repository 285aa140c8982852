"""Whatever a caller passes: an error of ours, or a result that keeps its promise."""

import argparse
import copy
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from stock import LEAF

from sctnet.catalog import find_config, load_config, merge_options
from sctnet.cli.arguments import add_run_arguments
from sctnet.cli.print_errors import _printable
from sctnet.datasets.check_labels import check_labels
from sctnet.datasets.images import MIN_SIZE, to_bgr
from sctnet.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    ImageError,
)
from sctnet.weights.safe_files import dataset_meta_of, weights_of

SAME = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=list(HealthCheck),
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
NESTED = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(PLAIN, inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)
TENSORS = st.sampled_from(
    [torch.ones(2), torch.zeros(0), torch.eye(2).to_sparse(), torch.ones(1).bool()]
)


@SAME
@given(
    arrays.scalar_dtypes() | st.sampled_from(['uint8', 'uint16']),
    st.lists(st.sampled_from([0, 1, 3, 4, 63, 64, 65]), max_size=4),
)
def test_any_array_is_bgr_or_refused(dtype, shape):
    array = np.zeros(shape, dtype)
    try:
        image = to_bgr(array)
    except ImageError:
        return
    assert (image.dtype, image.ndim, image.shape[2]) == (np.uint8, 3, 3)
    assert min(image.shape[:2]) >= MIN_SIZE
    assert image.flags.c_contiguous


@SAME
@given(
    st.lists(st.integers(-300, 70_000), min_size=1, max_size=20),
    st.integers(1, 300),
    st.sampled_from([255, 0, -1, 300]),
)
def test_labels_are_refused_exactly_where_one_is_outside(values, classes, ignored):
    outside = [v for v in values if v != ignored and not 0 <= v < classes]
    if not outside:
        check_labels(torch.tensor(values), classes, ignored, 'x')
        return
    with pytest.raises(DataError) as raised:
        check_labels(torch.tensor(values), classes, ignored, 'x')
    assert str(sorted(set(outside))[0]) in str(raised.value)


@SAME
@given(NESTED, NESTED, NESTED)
def test_any_meta_gives_names_or_none(meta, classes, palette):
    for content in (
        {'meta': meta},
        {'meta': {'CLASSES': classes, 'PALETTE': palette}},
        {'meta': {'dataset_meta': {'classes': classes, 'palette': palette}}},
        {'meta': {'dataset_meta': {'classes': ['a'], 'palette': palette}}},
    ):
        found = dataset_meta_of(content)
        if found is None:
            continue
        assert found['classes']
        assert all(isinstance(name, str) for name in found['classes'])
        for colour in found['palette'] or []:
            assert len(bytes(colour)) == 3


@SAME
@given(st.dictionaries(PLAIN, TENSORS | NESTED, max_size=5), st.booleans())
def test_any_dict_gives_weights_or_is_refused(content, inside):
    try:
        weights = weights_of({'state_dict': content} if inside else content)
    except CheckpointError:
        return
    assert weights
    for name, weight in weights.items():
        assert isinstance(name, str)
        assert weight.layout is torch.strided


@SAME
@given(st.lists(st.text('ab.=[](){}\'",1é -', max_size=12), min_size=1, max_size=4))
def test_any_options_are_read_or_a_usage_error(words):
    parser = argparse.ArgumentParser()
    add_run_arguments(parser)
    try:
        args = parser.parse_args(['config', '--cfg-options', *words])
    except SystemExit as ended:
        args = ended
    assert getattr(args, 'code', None) == 2 or isinstance(args.cfg_options, dict)


CONFIG = load_config(LEAF)
KEYS = st.sampled_from(['model', 'backbone', 'train_pipeline', '0', '9', 'x', '', '_'])


@SAME
@given(st.dictionaries(st.lists(KEYS, max_size=4).map('.'.join), NESTED, max_size=3))
def test_any_options_are_merged_or_refused(options):
    with suppress(ConfigError):
        merge_options(copy.deepcopy(CONFIG), options)


@SAME
@given(st.text(max_size=30) | st.just('x' * 5000) | st.text('./~sctne-', max_size=9))
def test_any_name_is_a_config_or_refused(name):
    with suppress(ConfigError):
        assert find_config(name).is_file()


@SAME
@given(st.text() | st.characters(codec=None, categories=['Cs', 'Cc', 'Cf', 'Zl', 'L']))
def test_any_message_is_printed_as_one_line(text):
    shown = _printable(text)
    assert len(shown.splitlines()) <= 1
    assert shown.isprintable()
    shown.encode('utf-8')
    assert shown == text or not text.isprintable()
