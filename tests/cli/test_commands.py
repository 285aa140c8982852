"""The table of commands: help for each, without torch, and what a bug report needs."""

import json
import re
import subprocess
import sys

import pytest
from support import REPOSITORY, run_python
from tool_process import call

from sctnet.cli import COMMANDS, build_parser, export


@pytest.fixture(scope='module')
def bare():
    """What every help and ``env`` print where the heavy packages are not installed."""
    code = f"""
        import contextlib, io, json, sys
        absent = ('torch', 'mmcv', 'mmengine', 'mmseg', 'mmpretrain')
        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.partition('.')[0] in absent:
                    raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
        sys.meta_path.insert(0, Absent())
        from sctnet.cli import main
        said = {{}}
        for words in [['--help'], ['env'], *([c, '--help'] for c in {[*COMMANDS]})]:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                try:
                    main(words)
                except SystemExit as ended:
                    assert not ended.code, words
            said[' '.join(words)] = out.getvalue()
        print(json.dumps(said))
    """
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_help_lists_the_commands_and_each_has_an_example(bare):
    for command, line in COMMANDS.items():
        assert f'  {command} ' in bare['--help']
        assert line in bare['--help']
        examples = re.findall(r'^  sctnet (.*)$', bare[f'{command} --help'], re.M)
        assert examples
        for words in examples:
            name, *rest = words.split()
            assert name == command
            build_parser(command).parse_args(rest)


def test_env_says_what_is_there_and_what_is_missing(bare, tmp_path):
    done = call('env', cwd=tmp_path)
    assert done.returncode == 0
    for words in ('torch +2', 'mmcv +mmcv(-lite)? 2.*ops', 'onnxruntime .*Provider'):
        assert re.search(f'^{words}', done.stdout, re.M), done.stdout
    assert re.search('^tensorrt +missing', done.stdout, re.M)
    assert re.search('^torch +(missing|broken)', bare['env'], re.M)
    assert re.search('^numpy +numpy 2', bare['env'], re.M)


def test_help_imports_nothing_slow():
    words = [sys.executable, '-X', 'importtime', '-m', 'sctnet', '--help']
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    for heavy in ('numpy', 'cv2', 'yaml', 'rich', 'torch'):
        assert f' {heavy}\n' not in done.stderr


def test_choices_are_those_of_the_code():
    from sctnet.deploy import onnx_graph
    from sctnet.deploy.export import LIMITS

    assert tuple(onnx_graph.OUTPUTS) == export.OUTPUTS
    assert (*LIMITS, 'int8') == export.PRECISIONS


def test_an_unknown_command_names_those_that_there_are(tmp_path):
    done = call('trian', cwd=tmp_path)
    assert done.returncode == 2
    assert "'train', 'test', 'infer'" in done.stderr
    done = call(cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, '')
    assert 'commands:' in done.stdout


def test_launch_scripts_ask_for_their_arguments_and_start_a_command(tmp_path):
    fake = tmp_path / 'srun'
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    (tmp_path / 'torchrun').symlink_to(fake)
    env = {'PATH': f'{tmp_path}:/usr/bin:/bin', 'GPUS': '4'}

    def bash(script, *words):
        return subprocess.run(
            ['bash', REPOSITORY / 'tools' / script, *words],
            capture_output=True,
            text=True,
            env=env,
        )

    for kind in ('train', 'test'):
        needed = ['conf.py', *(['w.pth'] if kind == 'test' else [])]
        for script in (f'dist_{kind}.sh', f'slurm_{kind}.sh'):
            done = bash(script)
            assert done.returncode == 2
            assert done.stderr.startswith('usage: ')
        done = bash(f'slurm_{kind}.sh', 'part', 'job', *needed, '--x')
        assert '--ntasks=4 --ntasks-per-node=4' in done.stdout
        assert f'/{kind}.py {" ".join(needed)} --launcher slurm --x' in done.stdout
        done = bash(f'dist_{kind}.sh', *needed, '3', '--x')
        assert '--nproc-per-node=3' in done.stdout
        assert f'/{kind}.py {" ".join(needed)} --launcher pytorch --x' in done.stdout
