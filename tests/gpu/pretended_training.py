"""Count what a training and a validation cross to a pretended GPU: prints JSON.

    python tests/gpu/pretended_training.py SCENES FOLDER 2 2,amp 8 8,amp

For each batch size, with or without ``--amp``, the street scenes in SCENES are learnt
from a teacher, with the optimizer groups of the recipe for ADE20K. The second iteration
is counted, which writes no log. So is the second image of the first case's validation.
The places of the crossings are told, too, and first what the device notices at all.
"""

import json
import sys
from pathlib import Path

import torch

sys.path[:0] = [str(folder) for folder in Path(__file__).resolve().parents[:2]]

from pretended_device import ledger, pretend  # noqa: E402

KEPT = pretend()  # before mmengine looks for a GPU

import mmengine.config.config  # noqa: E402
import mmengine.runner.runner  # noqa: E402
from mmengine.runner.loops import ValLoop  # noqa: E402
from small_training import TEACHER, save_teacher_of, small_config  # noqa: E402

from sctnet.catalog import load_config  # noqa: E402
from sctnet.engine.launch import enable_amp  # noqa: E402
from sctnet.engine.runner import Runner  # noqa: E402

COUNTED = 1  # the second iteration: in the first things are made that stay
QUIET = {'default_hooks.logger.interval': 50, 'default_hooks.checkpoint.interval': 50}
QUIET |= {'log_level': 'ERROR', 'custom_hooks.0.sanity_images': 0}
QUIET |= {'default_hooks.checkpoint.save_last': False}


def count(data, folder, batch, amp, validate):
    """Return what an iteration and a validation image crossed."""
    options = {**QUIET, 'train_dataloader.batch_size': batch}
    files = (data, folder / 'work', folder / 'teacher.pth')
    cfg = small_config(*files, options, iterations=COUNTED + 1)
    cfg.optim_wrapper.paramwise_cfg = load_config('sctnet-s-ade').optim_wrapper[
        'paramwise_cfg'
    ]
    if amp:
        enable_amp(cfg)
    if not validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    runner = Runner.from_cfg(cfg)
    found = {}

    def counted(name, method, wanted):
        def call(self, index, *rest):
            ledger.clear()
            ledger.recording = wanted(self, index)
            method(self, index, *rest)
            if ledger.recording:
                found[name] = ledger.report()
            ledger.recording = False

        return call

    loop = type(runner.build_train_loop(runner._train_loop))
    train, val = loop.run_iter, ValLoop.run_iter
    loop.run_iter = counted('iteration', train, lambda self, _: self._iter == COUNTED)
    ValLoop.run_iter = counted('validation', val, lambda _, index: index == 1)
    try:
        runner.train()
    finally:
        loop.run_iter, ValLoop.run_iter = train, val
    return found


def noticed():
    """Return what the ledger says of one call each."""
    device = torch.device('cuda')
    there = torch.arange(6.0, device=device).view(2, 3)
    here, pinned = torch.ones(2, 3), torch.ones(2, 3).pin_memory()
    calls = {
        'pinned': lambda: pinned.to(device, non_blocking=True),
        'pinned, waits': lambda: pinned.cuda(),
        'pageable': lambda: here.to(device, non_blocking=True),
        'into': lambda: there.clone().copy_(here),
        'item': lambda: there.sum().item(),
        'if': lambda: bool(there.sum() > 0),
        'cpu': lambda: there.cpu(),
        'tolist': lambda: there.tolist(),
        'print': lambda: f'{there[0, 0]:.2f}',
        'nonzero': lambda: there.nonzero(),
        'mask': lambda: there[there > 1],
        'list': lambda: there[[1, 0]],
        'view': lambda: there.view(3, 2)[0].t(),
        'number': lambda: there + 1,
        'scalar': lambda: there + torch.tensor(1.0),
        'zeros': lambda: torch.zeros(3, device='cuda'),
        'same': lambda: there.to('cuda:0'),
        'half': lambda: _under_autocast(there),
        'mix': lambda: there + here,
    }
    found = {}
    for name, call in calls.items():
        ledger.clear()
        ledger.recording = True
        try:
            call()
            report = ledger.report()
            found[name] = [report[x] for x in ('copies', 'waits', 'launches')]
        except RuntimeError as error:
            found[name] = str(error)
        ledger.recording = False
    return found


def _under_autocast(x):
    with torch.autocast('cuda', torch.float16):
        assert (x @ x.t()).dtype == torch.float16
        assert (x @ x.t()).softmax(0).dtype == torch.float32


def main(data, folder, *cases):
    torch.set_num_threads(1)
    mmengine.runner.runner.collect_env = dict  # it would ask the driver
    mmengine.config.config.FormatCode = lambda text, **_: (text, True)  # takes long
    save_teacher_of(folder / 'teacher.pth', TEACHER)
    print(json.dumps({'case': 'device', **noticed()}), flush=True)
    for number, case in enumerate(cases):
        batch, _, amp = case.partition(',')
        found = count(data, folder, int(batch), amp, validate=number == 0)
        print(json.dumps({'case': case, **found}), flush=True)


if __name__ == '__main__':
    main(*map(Path, sys.argv[1:3]), *sys.argv[3:])
