"""Running a page's blocks: tools in processes of their own, Python in this one.

A server process that has imported what the tools import forks one process for each
command, so that none of them waits for imports and none sees another's state.
"""

import multiprocessing
import os
import runpy
import sys

from doc_commands import parse, path_of, tool_call
from doc_pages import commands
from small_training import SMALL

from sctnet.catalog import load_config

SECONDS = 120
PRELOADED = [
    'sctnet.apis',
    'sctnet.engine',
    'sctnet.engine.launch',
    'sctnet.evaluation.training_curves',
]
# What the tools import when they need it, seconds each time.
PRELOADED += ['torch._dynamo', 'mmseg.datasets', 'mmseg.evaluation', 'onnxruntime']
PRELOADED += ['onnxruntime.quantization', 'onnxscript', 'torch.utils.tensorboard']
HOOK = 'custom_hooks.0.sanity_images'


def small(call):
    """Return the words that make a command short, to be put behind its own."""
    if call.tool == 'make_street_scenes.py':
        return ['--train', '2', '--val', '2', '--size', '256x128']
    if call.tool not in ('train.py', 'test.py'):
        return []
    arguments = parse(call)
    cfg = load_config(arguments.config)
    options = {k: v for k, v in SMALL.items() if k != 'randomness'}
    if call.tool == 'test.py':
        options = {k: v for k, v in options.items() if k.startswith('test_')}
        options['test_dataloader.dataset.pipeline.1.scale'] = (128, 64)
    else:
        last = 3 if arguments.resume else 2
        options['train_cfg.max_iters'] = options['train_cfg.val_interval'] = last
        options['default_hooks.checkpoint.interval'] = last
    if HOOK in options and not cfg.get('custom_hooks'):
        del options[HOOK]
    given = arguments.cfg_options
    pairs = [
        f'{k}={str(v).replace(" ", "")}' for k, v in options.items() if k not in given
    ]
    # A second --cfg-options would replace the first.
    return pairs if '--cfg-options' in call.words else ['--cfg-options', *pairs]


def run_commands(code, folder):
    """Run the commands of a bash block in ``folder``; fail where one does."""
    for number, command in enumerate(commands(code)):
        call = tool_call(command)
        assert call is not None, f'cannot run {command}: register it as Only checked'
        # What follows --cfg-options must stay behind it.
        words = [*call.words, *small(call)]
        if '--cfg-options' in call.words:
            at = call.words.index('--cfg-options') + 1
            words = [*call.words[:at], *small(call), *call.words[at:]]
        log = folder / f'.log_{number}'
        status = in_a_process(call.tool, words, folder, log)
        assert status == 0, f'{command}\n{log.read_text(errors="replace")[-3000:]}'


def in_a_process(tool, words, folder, log):
    """Run a tool; return its status, or 124 where it takes too long."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=tool_main, args=(tool, words, folder, log))
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        return 124
    return process.exitcode


def tool_main(tool, words, folder, log):
    """What a process does: the tool, in ``folder``, its output in ``log``."""
    import torch

    torch.set_num_threads(1)
    target = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(target, stream)
    sys.stdout = os.fdopen(1, 'w', buffering=1)
    sys.stderr = os.fdopen(2, 'w', buffering=1)
    os.chdir(folder)
    sys.argv = [tool, *words]
    path = path_of(tool)
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name='__main__')
