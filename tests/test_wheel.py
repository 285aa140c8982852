"""The built wheel and the editable install, used as a stranger would use them."""

import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
from support import REPOSITORY, SEG50
from tool_process import metrics

from sctnet.cli import COMMANDS

pytestmark = [pytest.mark.slow, pytest.mark.packaging]

BIN = Path(sys.executable).parent
PIP = (sys.executable, '-m', 'pip', '--quiet')
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
SMALL = [
    '--cfg-options',
    *(f'{loader}.num_workers=0' for loader in LOADERS),
    *(f'{loader}.persistent_workers=False' for loader in LOADERS),
]


def run(*command, cwd, site=None):
    """Run a command; ``site`` is the wheel's installation, None the editable one."""
    env = {**os.environ, 'PYTHONWARNINGS': 'ignore'}
    env['PATH'] = os.pathsep.join([str(BIN), env['PATH']])
    env.pop('PYTHONPATH', None)
    if site:
        env['PYTHONPATH'] = str(site)
        env['PATH'] = os.pathsep.join([str(site / 'bin'), env['PATH']])
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
    built = ('wheel', '--no-deps', '--no-build-isolation', '-w', folder, REPOSITORY)
    run(*PIP, *built, cwd=folder)
    (file,) = folder.glob('*.whl')
    return file


@pytest.fixture(scope='module')
def site(wheel, tmp_path_factory):
    """A folder with the installed wheel, before site-packages on the path."""
    folder = tmp_path_factory.mktemp('site')
    run(*PIP, 'install', '--no-deps', '--target', folder, wheel, cwd=folder)
    return folder


def test_wheel_holds_each_thing_once_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    leaves = [Path(n).name for n in names if n.startswith('sctnet/configs/sctnet/')]
    expected = [p.name for p in (REPOSITORY / 'configs' / 'sctnet').iterdir()]
    assert sorted(leaves) == sorted(p for p in expected if not p.startswith('__'))
    for leaf in (f'{SEG50}.py', 'default_runtime.py'):
        assert sum(name.endswith(f'/{leaf}') for name in names) == 1
    tools = {Path(n).name for n in names if n.startswith('sctnet/.mim/tools/')}
    scripts = {
        f'{way}_{do}.sh' for way in ('dist', 'slurm') for do in ('train', 'test')
    }
    assert tools == {'train.py', 'test.py', *scripts}
    assert 'sctnet/.mim/model-index.yml' in names
    assert any(name.endswith('licenses/LICENSE') for name in names)
    assert {name.partition('/')[0].partition('-')[0] for name in names} == {'sctnet'}
    assert not any('test_' in name for name in names)


@pytest.mark.more
def test_commands_work_in_an_empty_folder(site, tmp_path):
    """The demo runs scenes and fit, which runs all else."""
    said = run('sctnet', '--help', cwd=tmp_path, site=site)
    assert all(f'  {command} ' in said for command in COMMANDS)
    assert f'in {site}' in run('sctnet', 'env', cwd=tmp_path, site=site)
    few = ('--scenes', 12, '--iterations', 2)
    said = run('sctnet', 'demo', *few, cwd=tmp_path, site=site)
    commands = [line.split()[2] for line in said.splitlines() if line.startswith('$ ')]
    stages = ['new', 'check', 'train', 'train', 'test', 'export', 'infer', 'plot']
    assert commands == ['scenes', 'fit', *stages]
    out = tmp_path / 'demo_output' / 'fit'
    assert 0 <= metrics(out / 'work' / 'test')['mIoU'] <= 100
    drawn = ('comparison.png', 'curves.png', 'results/*/*_overlay.png')
    for picture in drawn:
        file = next(out.glob(picture))
        assert file.stat().st_size > 5000
    data = (
        '--data-root',
        out.parent / 'street_scenes',
        '--quick',
        2,
        '--html',
        'page.html',
    )
    said = run('sctnet', 'check', 'sctnet-t-streets', *data, cwd=tmp_path, site=site)
    assert "the page is 'page.html'" in said


@pytest.mark.more
def test_mim_lists_and_trains(site, streets, tmp_path):
    out = run('mim', 'search', 'sctnet', '--config', SEG50, cwd=tmp_path, site=site)
    assert 'sctnet-s-seg50' in out
    assert '72.94' in out
    leaf = 'sctnet_t_1xb4_600_streets_128x256.py'
    short = ('train_cfg.max_iters=1', 'model.siam=None', 'train_cfg.val_interval=1')
    out = run(
        *('mim', 'train', 'sctnet', leaf, '--data-root', streets),
        *('--work-dir', 'work', *SMALL, *short),
        cwd=tmp_path,
        site=site,
    )
    assert 'Training finished successfully' in out
    assert list((tmp_path / 'work').glob('best_mIoU*.pth'))


@pytest.mark.more
def test_mim_test_computes_the_logits_of_init_model(
    site, streets, released_city_s, tmp_path
):
    """Bit-equal: the logits that the Runner hands to its evaluator, and our API's.

    The config inherits by an absolute import; then every module of the wheel imports.
    """
    (tmp_path / 'dump.py').write_text(
        textwrap.dedent(f"""
            from mmengine.config import read_base
            from mmengine.evaluator import DumpResults

            with read_base():
                from sctnet.configs.sctnet.{SEG50} import *

            model.update(test_cfg=dict(shortcuts=False))
            test_evaluator = dict(type=DumpResults, out_file_path='results.pkl')
            """)
    )
    run(
        'mim', 'test', 'sctnet', 'dump.py', '--checkpoint', released_city_s,
        '--data-root', streets, '--work-dir', 'work', *SMALL,
        cwd=tmp_path, site=site,
    )  # fmt: skip
    code = f"""
        import importlib, pickle, pkgutil, torch, sctnet
        from pathlib import Path
        from sctnet.apis import inference_model, init_model
        assert Path(sctnet.__file__).is_relative_to({str(site)!r})
        model = init_model('dump.py', {str(released_city_s)!r}, 'cpu', backend='torch')
        results = pickle.loads(Path('results.pkl').read_bytes())
        assert len(results) == 2
        for result in results:
            sample = inference_model(model, result['img_path'], logits=True)
            expected = sample.seg_logits.data
            assert torch.equal(result['seg_logits']['data'], expected)
            labels = result['pred_sem_seg']['data']
            assert torch.equal(labels, sample.pred_sem_seg.data)
            print('equal', tuple(expected.shape))
        names = [m.name for m in pkgutil.walk_packages(sctnet.__path__, 'sctnet.')]
        for name in (n for n in names if '.configs' not in n):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:  # they need a GPU
                assert error.name in ('triton', 'tensorrt'), error
        print(len(names), 'modules')
    """
    out = run(sys.executable, '-c', textwrap.dedent(code), cwd=tmp_path, site=site)
    assert out.count('equal (19, 128, 256)') == 2
    assert int(out.split()[-2]) > 100


@pytest.mark.more
def test_an_editable_install_tests_by_bare_leaf_name(
    streets, released_city_s, tmp_path
):
    out = run(
        'mim', 'test', 'sctnet', f'{SEG50}.py', '--checkpoint', released_city_s,
        '--data-root', streets, '--work-dir', 'work', *SMALL,
        cwd=tmp_path,
    )  # fmt: skip
    assert 'Testing finished successfully' in out
    assert 0 <= metrics(tmp_path / 'work')['mIoU'] <= 100
