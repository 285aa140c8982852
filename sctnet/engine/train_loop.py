"""A training loop whose every iteration depends on its number alone.

What is random in iteration i (which images, how they are augmented, which paths are
dropped) is drawn from python's, numpy's and torch's generators, seeded anew by the seed
of the run, the process and i. A run that was killed and resumed therefore repeats,
bit for bit, what it would have done, with nothing but the seed in its checkpoint, and
skips what it has seen without loading it. Transforms that keep a generator of their own
are outside of this.
"""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.runner.loops import _InfiniteDataloaderIterator
from mmseg.registry import DATA_SAMPLERS, LOOPS
from torch import nn
from torch.utils.data import DataLoader, Sampler

from .broken_files import BrokenFiles
from .runner import without_workers
from .seeded_dataset import MODEL, NumberedIndex, SeededDataset, seed_everything


class NumberedSampler(Sampler):
    """Yields indices that know the how-manieth sample of the whole training they are.

    Args:
        sampler: yields this process's indices, or the config of what does; it is
            started again when it ends.
        dataset: what it samples from.
        seed: of its shuffling, the same in all processes.
        start: how many samples of this process to skip.
    """

    endless = True

    def __init__(self, sampler: Any, dataset: Any, seed: int, start: int) -> None:
        # A sampler of a user's may ask its data set much.
        inner = isinstance(dataset, SeededDataset)
        self.dataset = dataset.dataset if inner else dataset
        if isinstance(sampler, dict):
            defaults = {'dataset': self.dataset, 'seed': seed}
            sampler = DATA_SAMPLERS.build(sampler, default_args=defaults)
        self.sampler = sampler
        self.start = start

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[NumberedIndex]:
        rank, world_size = get_rank(), get_world_size()
        for count, index in enumerate(self._endless()):
            if count >= self.start:
                yield NumberedIndex(index, count * world_size + rank)

    def _endless(self) -> Iterator[int]:
        epoch = 0
        while True:
            if hasattr(self.sampler, 'set_epoch'):
                self.sampler.set_epoch(epoch)
            yield from self.sampler
            epoch += 1


def _common_seed(runner: Runner) -> int:
    """The seed that all processes share, also where each adds its rank."""
    apart = runner._randomness_cfg.get('diff_rank_seed', False)
    return runner.seed - get_rank() if apart else runner.seed


@LOOPS.register_module()
class ResumableTrainLoop(IterBasedTrainLoop):
    """mmengine's iteration-based loop, exactly resumable.

    Takes the same arguments, and one more. A ``dataloader`` that is built already, not
    a config, is used as it is, and then only the model's randomness resumes exactly. A
    ``batch_sampler`` resumes exactly if all its batches have ``batch_size`` samples.

    Args:
        runner: as for mmengine's loop.
        dataloader: as for mmengine's loop.
        *args: as for mmengine's loop.
        max_broken_share: of the training files, 0 to 1, that may be broken: they are
            skipped and named in the log; more of them stop the run.
        **kwargs: as for mmengine's loop.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict | DataLoader,
        *args: Any,
        max_broken_share: float = 0.05,
        **kwargs: Any,
    ) -> None:
        self._broken_files = BrokenFiles(runner, max_broken_share)
        self._config = dataloader if isinstance(dataloader, dict) else None
        if self._config is not None:
            dataloader = self._build_dataloader(runner, start=0)
        super().__init__(runner, dataloader, *args, **kwargs)

    def _build_dataloader(self, runner: Runner, start: int) -> DataLoader:
        config = without_workers(self._config or {})
        config.setdefault('pin_memory', torch.cuda.is_available())
        seed = _common_seed(runner)
        config['sampler'] = {
            'type': NumberedSampler,
            'sampler': config['sampler'],
            'start': start * config['batch_size'],
        }
        config['dataset'] = {
            'type': SeededDataset,
            'dataset': config['dataset'],
            'seed': seed,
            'skip_broken': True,
        }
        return runner.build_dataloader(config, seed=seed)

    def run(self) -> nn.Module:
        """Train from the current iteration to the last, validating in between."""
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        if self._iter > 0 and self._config is not None:
            # Also because the checkpoint has brought its own seed.
            self.dataloader = self._build_dataloader(self.runner, self._iter)
            self.dataloader_iterator = _InfiniteDataloaderIterator(self.dataloader)
        seed = _common_seed(self.runner)
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            data_batch = next(self.dataloader_iterator)
            self._broken_files.look_at(data_batch)
            seed_everything(seed, MODEL, get_rank(), self._iter)
            self.run_iter(data_batch)
            self._decide_current_val_interval()
            if self._validates_now():
                self.runner.val_loop.run()
        self._broken_files.summarise()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _validates_now(self) -> bool:
        due = self._iter % self.val_interval == 0 or self._iter == self._max_iters
        return self.runner.val_loop is not None and self._iter >= self.val_begin and due
