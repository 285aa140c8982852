"""Gaps of the stack are closed when a package is first imported after sctnet."""

import textwrap
from threading import Thread

import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmengine.utils import ManagerMixin
from support import run_python

from sctnet.apis import init_model
from sctnet.compat.gaps import stand_in_for_missing_ops
from sctnet.errors import ConfigError

pytestmark = pytest.mark.slow


LOADED = "print(sorted({'torch', 'numpy', 'mmengine', 'mmcv'} & set(sys.modules)))"


def test_importing_sctnet_loads_nothing_heavy():
    done = run_python(f'import sys, sctnet\n{LOADED}')
    assert done.stdout == '[]\n', done.stderr


CLOSED = """
    from mmengine.runner import checkpoint
    from mmengine.utils import ManagerMixin
    import mmseg.apis, mmcv.ops, torch
    print(checkpoint.load_from_http.__module__)
    print(ManagerMixin.get_instance.__func__.__wrapped__.__name__)
    safe = torch.serialization.get_safe_globals()
    print(any('HistoryBuffer' in str(one) for one in safe))
"""


@pytest.mark.parametrize('first', ['sctnet', 'mmengine.runner'])
def test_gaps_are_closed_whichever_package_comes_first(first):
    done = run_python(f'import {first}\nimport sctnet{textwrap.dedent(CLOSED)}')
    expected = ['sctnet.weights.mmengine_loaders', 'get_instance', 'True']
    assert done.stdout.split() == expected, done.stderr


def test_find_loader_is_there_for_mmengine_on_a_python_without_it():
    done = run_python("""
        import pkgutil, sctnet
        del pkgutil.find_loader
        from mmengine.utils.dl_utils.misc import mmcv_full_available
        import mmcv, mmcv.utils
        print(pkgutil.find_loader.__module__, pkgutil.find_loader('no_such_package'))
        print(mmcv_full_available(), pkgutil.find_loader('mmcv.ops') is not None)
        try:
            pkgutil.find_loader('no_such_package.module')
        except ImportError as error:
            print(type(error).__name__)
    """)
    lines = done.stdout.splitlines()
    assert lines[:2] == ['sctnet.compat.gaps None', 'False True'], done.stderr
    assert lines[2] in ('ImportError', 'ModuleNotFoundError')


NAMES = """
    from mmseg.registry import DATASETS, HOOKS, LOOPS, METRICS, MODELS
    for registry, name in (
        (MODELS, 'SCTSegmentor'), (HOOKS, 'DistillationHook'),
        (LOOPS, 'ResumableTrainLoop'), (DATASETS, 'FolderDataset'),
        (METRICS, 'ReportMetric'),
    ):
        print(registry.get(name).__name__)
"""


@pytest.mark.parametrize(
    'imports',
    [
        'sctnet.register',
        'sctnet',
        # After a registry was asked, as the custom_imports of a config may come.
        "mmseg.registry as r; r.HOOKS.get('SegVisualizationHook'); import sctnet",
    ],
)
def test_what_configs_name_by_strings_is_registered(imports):
    done = run_python(f'import {imports}\n' + textwrap.dedent(NAMES))
    assert len(done.stdout.split()) == 5, done.stderr


@pytest.mark.skipif(not stand_in_for_missing_ops(), reason='mmcv has its ops')
def test_all_of_mmseg_imports_after_sctnet_and_a_missing_op_names_itself_when_called():
    done = run_python("""
        import importlib, pkgutil, sctnet, mmseg, mmcv.ops, torch
        modules = list(pkgutil.walk_packages(mmseg.__path__, 'mmseg.'))
        for module in modules:
            importlib.import_module(module.name)
        print(len(modules))
        feature = torch.zeros(1, 2, 4, 4)
        try:
            mmcv.ops.roi_align(feature, torch.zeros(1, 5), (2, 2))
        except NotImplementedError as error:
            print(error)
        print('loader', pkgutil.find_loader('mmcv._ext'))
    """)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.partition('\n')[0]) > 150
    assert "'roi_align_forward' is not part of mmcv-lite" in done.stdout
    assert 'pip' in done.stdout
    assert 'loader None' in done.stdout


def test_full_mmcv_is_left_alone(tmp_path):
    (tmp_path / 'mmcv').mkdir()
    (tmp_path / 'mmcv' / '__init__.py').write_text('')
    (tmp_path / 'mmcv' / '_ext.py').write_text('roi_align_forward = 42')
    done = run_python(
        """
        import importlib.util, pathlib, sys
        import sctnet as package
        from sctnet.compat.gaps import stand_in_for_missing_ops
        print(stand_in_for_missing_ops(), 'mmcv._ext' in sys.modules)
        import mmcv._ext
        print(mmcv._ext.roi_align_forward)
        """,
        tmp_path,
    )
    assert done.stdout.split() == ['False', 'False', '42'], done.stderr


def test_without_any_mmcv_the_import_says_in_one_sentence_what_to_install():
    done = run_python("""
        import importlib.util as util
        found = util.find_spec
        util.find_spec = lambda name, *a: None if name == 'mmcv' else found(name, *a)
        import sctnet
        print('light')
        import mmseg
    """)
    assert (done.returncode, done.stdout) == (1, 'light\n')
    last = done.stderr.strip().splitlines()[-1]
    assert 'PackageError: sctnet needs mmcv or mmcv-lite' in last
    assert 'pip install' in last


def test_another_torchvision_is_left_alone(tmp_path):
    fake = tmp_path / 'torchvision'
    fake.mkdir()
    (fake / '__init__.py').write_text('')
    (fake / 'version.py').write_text("__version__ = '0.28.0+cpu'\n")
    done = run_python(
        """
        import sctnet, torch, torchvision
        print(torchvision.__file__, hasattr(torch.ops.torchvision, 'qnms'))
        """,
        tmp_path,
    )
    assert done.stdout.split() == [str(fake / '__init__.py'), 'False'], done.stderr


class Managed(ManagerMixin):
    """Of which there is no instance."""


@pytest.mark.parametrize(
    ('fail', 'error'),
    [
        (lambda: DefaultScope.get_instance(1), AssertionError),
        (lambda: DefaultScope.get_instance('', scope_name=''), AssertionError),
        (lambda: MMLogger.get_instance('loud', log_level='LOUD'), KeyError),
        (lambda: Managed.get_current_instance(), RuntimeError),
        (lambda: init_model(Config({'default_scope': 1, 'model': {}})), ConfigError),
    ],
)
def test_what_mmengine_cannot_build_holds_up_no_other_thread(fail, error):
    with pytest.raises(error):
        fail()
    other = Thread(target=DefaultScope.get_current_instance, daemon=True)
    other.start()
    other.join(20)
    assert not other.is_alive()
