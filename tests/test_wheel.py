"""The built wheel and the editable install, used as a stranger would use them."""

import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
from support import REPOSITORY, SEG50
from test_tools import SMALL, metrics

pytestmark = pytest.mark.packaging

BIN = Path(sys.executable).parent
INSTALLS = ('wheel', 'editable')


def run(*command, cwd, site=None):
    env = {**os.environ, 'PYTHONWARNINGS': 'ignore'}
    env['PATH'] = os.pathsep.join([str(BIN), env['PATH']])
    env.pop('PYTHONPATH', None)
    if site:
        env['PYTHONPATH'] = str(site)
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    pip = (sys.executable, '-m', 'pip', '--quiet')
    run(
        *(*pip, 'wheel', '--no-deps', '--no-build-isolation', '-w', folder, REPOSITORY),
        cwd=folder,
    )
    (built,) = folder.glob('*.whl')
    return built


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """A folder with the installed wheel, before site-packages on the path."""
    site = tmp_path_factory.mktemp('site')
    pip = (sys.executable, '-m', 'pip', '--quiet', 'install', '--no-deps')
    run(*pip, '--target', site, wheel, cwd=site)
    return site


@pytest.fixture(params=INSTALLS)
def site(request):
    """Path of the wheel's installation, None for the editable one."""
    if request.param == 'wheel':
        return request.getfixturevalue('installed')
    return None


def test_wheel_holds_each_thing_once_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    leaves = [Path(n).name for n in names if n.startswith('sctnet/configs/sctnet/')]
    expected = [p.name for p in (REPOSITORY / 'configs' / 'sctnet').iterdir()]
    assert sorted(leaves) == sorted(p for p in expected if not p.startswith('__'))
    for leaf in (f'{SEG50}.py', 'default_runtime.py'):
        assert sum(name.endswith(f'/{leaf}') for name in names) == 1
    for tool in ('train.py', 'test.py', 'infer.py', 'convert_checkpoint.py'):
        assert f'sctnet/.mim/tools/{tool}' in names
    assert 'sctnet/.mim/model-index.yml' in names
    assert any(name.endswith('licenses/LICENSE') for name in names)
    for page in ('base.html', 'dataset.html', 'report.html', 'style.css'):
        assert f'sctnet/evaluation/templates/{page}' in names
    assert {name.partition('/')[0].partition('-')[0] for name in names} == {'sctnet'}
    assert not any('test_' in name for name in names)


def test_mim_search_lists_the_models(site, tmp_path):
    out = run('mim', 'search', 'sctnet', '--valid-config', cwd=tmp_path, site=site)
    assert SEG50 in out
    out = run('mim', 'search', 'sctnet', '--config', SEG50, cwd=tmp_path, site=site)
    assert 'sctnet-s-seg50' in out
    assert '72.94' in out


def test_mim_test_by_bare_leaf_name(site, streets, released_city_s, tmp_path):
    out = run(
        'mim', 'test', 'sctnet', f'{SEG50}.py', '--checkpoint', released_city_s,
        '--data-root', streets, '--work-dir', 'work', *SMALL,
        cwd=tmp_path, site=site,
    )  # fmt: skip
    assert 'Testing finished successfully' in out
    assert 0 <= metrics(tmp_path / 'work')['mIoU'] <= 100


def test_mim_test_computes_the_logits_of_init_model(
    installed, streets, released_city_s, tmp_path
):
    """Bit-equal: the logits that the Runner hands to its evaluator, and our API's."""
    (tmp_path / 'dump.py').write_text(
        textwrap.dedent(f"""
            from mmengine.config import read_base
            from mmengine.evaluator import DumpResults

            with read_base():
                from sctnet.configs.sctnet.{SEG50} import *

            model.update(test_cfg=dict(fused=False))
            test_evaluator = dict(type=DumpResults, out_file_path='results.pkl')
            """)
    )
    run(
        'mim', 'test', 'sctnet', 'dump.py', '--checkpoint', released_city_s,
        '--data-root', streets, '--work-dir', 'work', *SMALL,
        cwd=tmp_path, site=installed,
    )  # fmt: skip
    code = f"""
        import pickle, torch, sctnet
        from pathlib import Path
        from sctnet.apis import inference_model, init_model
        assert Path(sctnet.__file__).is_relative_to({str(installed)!r})
        model = init_model(
            'sctnet-s-seg50', {str(released_city_s)!r}, 'cpu', backend='torch'
        )
        results = pickle.loads(Path('results.pkl').read_bytes())
        assert len(results) == 2
        for result in results:
            sample = inference_model(model, result['img_path'], logits=True)
            expected = sample.seg_logits.data
            assert torch.equal(result['seg_logits']['data'], expected)
            labels = result['pred_sem_seg']['data']
            assert torch.equal(labels, sample.pred_sem_seg.data)
            print('equal', tuple(expected.shape))
    """
    out = run(sys.executable, '-c', textwrap.dedent(code), cwd=tmp_path, site=installed)
    assert out.count('equal (19, 128, 256)') == 2


def test_own_config_inherits_by_absolute_import(site, tmp_path):
    (tmp_path / 'mine.py').write_text(
        textwrap.dedent(f"""
            from mmengine.config import read_base

            with read_base():
                from sctnet.configs.sctnet.{SEG50} import *

            model.update(decode_head=dict(num_classes=5))
            """)
    )
    code = """
        from sctnet.apis import init_model
        model = init_model('mine.py', device='cpu', backend='torch')
        print(model.num_classes, model.backbone.base_channels)
    """
    out = run(sys.executable, '-c', textwrap.dedent(code), cwd=tmp_path, site=site)
    assert out.split() == ['5', '32']


def test_every_module_imports(installed, tmp_path):
    code = """
        import importlib, pkgutil, sctnet
        names = [m.name for m in pkgutil.walk_packages(sctnet.__path__, 'sctnet.')]
        names = [n for n in names if '.configs' not in n]
        for name in names:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:  # they need a GPU
                assert error.name in ('triton', 'tensorrt'), error
        print(len(names))
    """
    out = run(sys.executable, '-c', textwrap.dedent(code), cwd=tmp_path, site=installed)
    assert int(out) > 20
