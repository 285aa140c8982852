import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from mmengine.logging.history_buffer import HistoryBuffer

from sctnet.checkpoint_files import read_checkpoint
from sctnet.errors import CheckpointError


def run_python(code, path=None):
    """Run ``code`` in a fresh interpreter; ``path`` comes first on sys.path."""
    lead = f'import sys; sys.path.insert(0, {str(path)!r})\n' if path else ''
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', lead + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_mmseg_imports_after_sctnet_and_a_missing_op_names_itself_when_called():
    done = run_python("""
        import sctnet
        import mmseg.apis, mmseg.models, mmcv.ops, torch
        feature = torch.zeros(1, 2, 4, 4)
        try:
            mmcv.ops.roi_align(feature, torch.zeros(1, 5), (2, 2))
        except NotImplementedError as error:
            print(error)
        import pkgutil
        print('loader', pkgutil.find_loader('mmcv._ext'))
    """)
    assert done.returncode == 0, done.stderr
    assert "'roi_align_forward' is not part of mmcv-lite" in done.stdout
    assert 'pip' in done.stdout
    assert 'loader None' in done.stdout


def test_every_module_of_mmseg_imports():
    done = run_python("""
        import importlib, pkgutil, sctnet, mmseg
        modules = list(pkgutil.walk_packages(mmseg.__path__, 'mmseg.'))
        for module in modules:
            importlib.import_module(module.name)
        print(len(modules))
    """)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 150


def test_full_mmcv_is_left_alone(tmp_path):
    (tmp_path / 'mmcv').mkdir()
    (tmp_path / 'mmcv' / '__init__.py').write_text('')
    (tmp_path / 'mmcv' / '_ext.py').write_text('roi_align_forward = 42')
    done = run_python(
        """
        import importlib.util, pathlib, sys
        import sctnet as package
        from sctnet.compat import stand_in_for_missing_ops
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
    """)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('ImportError: sctnet needs mmcv or mmcv-lite')
    assert 'pip install' in last


def test_checkpoint_types_of_mmengine_load_with_weights_only(tmp_path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    history.update(3.0)
    content = {
        'message_hub': {'log_scalars': {'train/loss': history}},
        'score': np.float64(0.25),
        'array': np.arange(3, dtype=np.int64),
        'flags': np.array([True, False]),
    }
    torch.save(content, tmp_path / 'own.pth')
    loaded = torch.load(tmp_path / 'own.pth', weights_only=True)
    assert loaded['message_hub']['log_scalars']['train/loss'].mean() == 2.0
    assert loaded['score'] == 0.25
    assert loaded['array'].tolist() == [0, 1, 2]


class Getattr:
    """Pickles as getattr(object, name), which a file may not use to reach code."""

    def __init__(self, owner, name):
        self.arguments = owner, name

    def __reduce__(self):
        return getattr, self.arguments


@pytest.mark.parametrize(
    'reached', [(HistoryBuffer, '__init__'), (np.ndarray, 'tofile')]
)
def test_getattr_reaches_nothing_but_the_statistics(tmp_path, reached):
    torch.save({'state_dict': Getattr(*reached)}, tmp_path / 'bad.pth')
    with pytest.raises(CheckpointError, match='carries code'):
        read_checkpoint(tmp_path / 'bad.pth')
