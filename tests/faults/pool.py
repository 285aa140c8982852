"""Worker processes that run cases, and a watchdog that outlives whatever they do."""

import contextlib
import gc
import multiprocessing
import os
import resource
import signal
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from random import Random

from contract import Case, Place, Result, judge
from registry import kinds

START_SECONDS = 300  # to import torch and build the stock on a busy machine
HEADROOM = 12 * 2**30  # of address space; a guard for the machine, not the contract


def run_case(kind: str, seed: int, folder: Path, stock: object) -> Result:
    """Make and judge the case of ``seed`` in a new folder below ``folder``."""
    from sctnet.engine.train_loop import seed_everything

    rng = Random(f'{kind}:{seed}')
    seed_everything(seed)  # augmentation and initial weights draw, too
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Place(Path(name, 'in'), Path(name, 'out'))
        place.inputs.mkdir()
        place.outputs.mkdir()
        back = os.getcwd()
        os.chdir(place.outputs)
        try:
            case: Case = kinds()[kind].make(rng, place, stock)
            return judge(kind, seed, case, place)
        finally:
            os.chdir(back)
            _forget_runs()


def _forget_runs() -> None:
    """Drop what mmengine shares between the Runners of a process."""
    from mmengine.logging import MessageHub, MMLogger
    from mmengine.registry import init_default_scope
    from mmengine.visualization import Visualizer
    from mmseg.visualization import SegLocalVisualizer

    for logger in MMLogger._instance_dict.values():
        for handler in logger.handlers:
            handler.close()
    for shared in (MMLogger, MessageHub, Visualizer, SegLocalVisualizer):
        shared._instance_dict.clear()
    init_default_scope('mmseg')


def work(pipe: Connection, folder: str) -> None:
    """The worker's life: cases in, results out, until the pipe closes."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # C libraries print about what they decode
    os.dup2(quiet, 2)
    import warnings

    import torch
    from stock import Stock

    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    own = Path(tempfile.mkdtemp(dir=folder))
    stock = Stock(own / 'stock')
    kinds()
    gc.collect()
    gc.freeze()  # mmseg collects for every data set, and torch has many objects
    _limit_memory()
    pipe.send('ready')
    while True:
        try:
            kind, seed = pipe.recv()
        except EOFError:
            return
        try:
            result = run_case(kind, seed, own, stock)
        except BaseException:  # of the harness itself
            text = traceback.format_exc()
            result = Result(kind, seed, 'violation', said=text)
            result.violations = ['the harness failed: ' + text.splitlines()[-1]]
        pipe.send(result)


def _limit_memory() -> None:
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    limit = pages * resource.getpagesize() + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Worker:
    """A process and what it is doing; started anew after a crash or a hang."""

    def __init__(self, folder: Path, target=work) -> None:
        self._folder, self._target = folder, target
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context('spawn')
        self.pipe, other = context.Pipe()
        self.process = context.Process(
            target=self._target, args=(other, str(self._folder)), daemon=True
        )
        self.process.start()
        other.close()
        if not self.pipe.poll(START_SECONDS) or self.pipe.recv() != 'ready':
            self.stop()
            raise RuntimeError('a worker did not start')

    def run(self, kind: str, seed: int, seconds: float) -> Result:
        """Run one case within ``seconds``, whatever becomes of the process."""
        problem = None
        try:
            self.pipe.send((kind, seed))
            if self.pipe.poll(seconds):
                return self.pipe.recv()
            problem = f'hang: no end within {seconds:.0f} s'
        except (EOFError, OSError):
            self.process.join(10)
            code = self.process.exitcode
            name = signal.Signals(-code).name if code and code < 0 else f'status {code}'
            problem = f'crash: the process ended with {name}'
        self.stop()
        self._start()
        return Result(kind, seed, 'violation', violations=[problem])

    def stop(self) -> None:
        """End the process, and what it started."""
        with contextlib.suppress(OSError):
            self.pipe.close()
        self.process.kill()
        self.process.join(10)


def run_all(
    cases: Iterable[tuple[str, int]], folder: Path, workers: int, seconds: float
) -> Iterator[Result]:
    """Yield the result of each case (kind, seed), in the order in which they end."""
    free: SimpleQueue[Worker] = SimpleQueue()
    crew = [Worker(folder) for _ in range(workers)]
    for worker in crew:
        free.put(worker)

    def one(case: tuple[str, int]) -> Result:
        worker = free.get()
        try:
            return worker.run(*case, seconds)
        finally:
            free.put(worker)

    try:
        with ThreadPoolExecutor(workers) as threads:
            yield from threads.map(one, cases)
    finally:
        for worker in crew:
            worker.stop()
