"""Modules under the names that they had before."""

import importlib
import sys

import pytest

from sctnet.compat import aliases
from sctnet.datasets.folder_dataset import FolderDataset


@pytest.mark.parametrize('old', aliases.MOVED)
def test_a_module_under_its_old_name_is_the_same_module(old):
    sys.modules.pop(f'sctnet.{old}', None)
    with pytest.warns(FutureWarning, match=rf'sctnet\.{old} is sctnet'):
        module = importlib.import_module(f'sctnet.{old}')
    assert module is importlib.import_module(f'sctnet.{aliases.MOVED[old]}')


def test_what_lies_below_an_old_name_is_loaded_once():
    sys.modules.pop('sctnet.own_data', None)
    sys.modules.pop('sctnet.own_data.dataset', None)
    with pytest.warns(FutureWarning):
        old = importlib.import_module('sctnet.own_data.dataset')
    assert old.FolderDataset is FolderDataset
    with pytest.raises(ModuleNotFoundError, match=r"'sctnet\.own_data\.nothing'"):
        importlib.import_module('sctnet.own_data.nothing')
