"""Names the broken files that a training leaves out, and ends it at too many."""

from collections.abc import Iterator
from typing import Any

from mmengine.runner import Runner

from ..errors import ConfigError, DataError


class BrokenFiles:
    """The broken files that a training met; each is named once in the log.

    Args:
        runner: its log is written, its training data set counted.
        max_share: of the data set's files, 0 to 1, that may be broken. Each process
            counts what it met.

    Raises:
        ConfigError: ``max_share`` is no share.
    """

    def __init__(self, runner: Runner, max_share: float) -> None:
        self.runner = runner
        number = isinstance(max_share, int | float) and not isinstance(max_share, bool)
        if not number or not 0 <= max_share <= 1:
            raise ConfigError(
                f'train_cfg.max_broken_share is {max_share!r}: set it to a number '
                'from 0 to 1'
            )
        self.max_share = max_share
        self.found: dict[str, str] = {}

    def look_at(self, data_batch: Any) -> None:
        """Log what a batch had to do without.

        Raises:
            DataError: more than ``max_share`` of the files are broken.
        """
        samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else []
        for one in samples or []:
            sample = one[0] if isinstance(one, list) else one
            for path, fault in getattr(sample, 'skipped_files', ()):
                if path not in self.found:
                    self._add(path, fault)

    def _add(self, path: str, fault: str) -> None:
        self.found[path] = fault
        total = count_samples(self.runner.train_dataloader.dataset)
        count = len(self.found)
        self.runner.logger.warning(
            f"skipped the broken file '{path}' ({fault}), {count} of {total} so far"
        )
        if count > self.max_share * total:
            raise DataError(
                f'{count} of {total} training files are broken, the last '
                f"'{path}' ({fault}), more than train_cfg.max_broken_share="
                f'{self.max_share}: mend them (sctnet check lists them) and '
                '--resume'
            )

    def summarise(self) -> None:
        """Log how many files were skipped, if any."""
        if self.found:
            names = ', '.join(list(self.found)[:10])
            more = ', ...' if len(self.found) > 10 else ''
            self.runner.logger.warning(
                f'{len(self.found)} broken files were skipped: {names}{more}'
            )


def count_samples(dataset: Any) -> int:
    """The number of different samples: of a repeated data set once, of joined ones all.

    Wrappers are known by their ``dataset`` or ``datasets``.
    """
    leaves = {id(leaf): leaf for leaf in innermost(dataset)}
    return max(1, min(len(dataset), sum(len(leaf) for leaf in leaves.values())))


def innermost(dataset: Any) -> Iterator[Any]:
    """Yield the data sets inside ``dataset``'s wrappers."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner[0] is None:
        yield dataset
    else:
        for one in inner:
            yield from innermost(one)
