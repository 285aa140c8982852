"""Count what a training and a validation cross to a pretended GPU: prints JSON.

    python tests/gpu/pretended_training.py FOLDER 2 2,amp 8 8,amp

For each batch size, with or without ``--amp``, street scenes are learnt from a teacher
for two iterations; the second is counted, which writes no log. Then the second image
of the validation is. The places of the crossings are told, too.
"""

import json
import sys
from pathlib import Path

import torch

sys.path[:0] = [str(folder) for folder in Path(__file__).resolve().parents[:2]]

from pretended_device import ledger, pretend  # noqa: E402

KEPT = pretend()  # before mmengine looks for a GPU

import mmengine.runner.runner  # noqa: E402
from mmengine.runner.loops import ValLoop  # noqa: E402
from small_training import TEACHER, save_teacher_of, small_config  # noqa: E402

from sctnet.datasets.street_scenes import write_street_scenes  # noqa: E402
from sctnet.engine.launch import enable_amp  # noqa: E402
from sctnet.engine.runner import Runner  # noqa: E402

COUNTED = 1  # the second iteration: in the first things are made that stay
QUIET = {'default_hooks.logger.interval': 50, 'default_hooks.checkpoint.interval': 50}
QUIET |= {'log_level': 'ERROR', 'custom_hooks.0.sanity_images': 0}
QUIET |= {'default_hooks.checkpoint.save_last': False}


def count(folder, batch, amp):
    """Return what an iteration and a validation image crossed."""
    options = {**QUIET, 'train_dataloader.batch_size': batch}
    files = (folder / 'data', folder / 'work', folder / 'teacher.pth')
    cfg = small_config(*files, options, iterations=COUNTED + 1)
    if amp:
        enable_amp(cfg)
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
    train, validate = loop.run_iter, ValLoop.run_iter
    loop.run_iter = counted('iteration', train, lambda self, _: self._iter == COUNTED)
    ValLoop.run_iter = counted('validation', validate, lambda _, index: index == 1)
    try:
        runner.train()
    finally:
        loop.run_iter, ValLoop.run_iter = train, validate
    return found


def main(folder, *cases):
    torch.set_num_threads(1)
    mmengine.runner.runner.collect_env = dict  # it would ask the driver
    write_street_scenes(folder / 'data', num_train=4, num_val=2, size=(256, 128))
    save_teacher_of(folder / 'teacher.pth', TEACHER)
    for case in cases:
        batch, _, amp = case.partition(',')
        print(json.dumps({'case': case, **count(folder, int(batch), amp)}), flush=True)


if __name__ == '__main__':
    main(Path(sys.argv[1]), *sys.argv[2:])
