"""Broken files in the middle of a training: left out, named and counted."""

from typing import Any

from mmengine.runner import Runner

from ..errors import DataError
from .sample_files import FirstLook

_IN_A_ROW = 100  # so many neighbours broken: something else is wrong


class SoundLoader:
    """Loads samples; in the place of a broken one, the next that is sound.

    A sample that had to stand in carries ``skipped_files``, pairs of path and fault, in
    its data sample. An error that no file explains is raised as it is.

    Args:
        dataset: gives a sample by its index; see :class:`FirstLook`.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._look = FirstLook(dataset)

    def load(self, index: int) -> Any:
        """Return sample ``index``, augmented as configured, or the next sound one.

        Raises:
            DataError: a hundred in a row are broken, or all.
        """
        skipped: list[tuple[str, str]] = []
        while not skipped or len(skipped) < min(len(self.dataset), _IN_A_ROW):
            sample, fault = self._try(index)
            if fault is None:
                return _mark(sample, skipped) if skipped else sample
            skipped.append(fault)
            index = (index + 1) % len(self.dataset)
        path, detail = skipped[-1]
        raise DataError(
            f"{len(skipped)} files in a row are broken, the last '{path}' ({detail}): "
            'see with tools/check_dataset.py what happened to the data set'
        )

    def _try(self, index: int) -> tuple[Any, tuple[str, str] | None]:
        fault = self._look.fault(index)
        if fault is not None:
            return None, fault
        try:
            return self.dataset[index], None
        except Exception:
            fault = self._look.explain(index)
            if fault is None:
                raise
            return None, fault


def _mark(sample: Any, skipped: list[tuple[str, str]]) -> Any:
    """Tell in ``sample`` what it stands in for; without a place for it, raise."""
    packed: Any = sample.get('data_samples') if isinstance(sample, dict) else None
    if not hasattr(packed, 'set_metainfo'):
        path, detail = skipped[0]
        raise DataError(
            f"'{path}' is broken ({detail}): mend it, or take it out of the data set"
        )
    packed.set_metainfo({'skipped_files': skipped})
    return sample


class BrokenFileCount:
    """Names each broken file once in the log; too many of them stop the run.

    Args:
        runner: its log is written, its data set counted.
        max_share: of the data set's files, 0 to 1, that may be broken. Each process
            counts what it met.
    """

    def __init__(self, runner: Runner, max_share: float) -> None:
        self.runner = runner
        self.max_share = max_share
        self.found: dict[str, str] = {}

    def look_at(self, data_batch: Any) -> None:
        """Log what a batch had to do without.

        Raises:
            DataError: more than ``max_share`` of the files are broken.
        """
        samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else []
        for sample in samples or []:
            for path, detail in getattr(sample, 'skipped_files', ()):
                if path not in self.found:
                    self._add(path, detail)

    def _add(self, path: str, detail: str) -> None:
        self.found[path] = detail
        total = _distinct(self.runner.train_dataloader.dataset)
        count = len(self.found)
        self.runner.logger.warning(
            f"skipped the broken file '{path}' ({detail}), {count} of {total} so far"
        )
        if count > self.max_share * total:
            raise DataError(
                f'{count} of {total} training files are broken, the last '
                f"'{path}' ({detail}), more than train_cfg.max_broken_share="
                f'{self.max_share}: mend them (tools/check_dataset.py lists them) and '
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


def _distinct(dataset: Any) -> int:
    """The number of samples, of a repeated data set once."""
    inner, times = dataset, 1
    while inner is not None:
        times *= getattr(inner, 'times', 1)
        inner = vars(inner).get('dataset') if hasattr(inner, '__dict__') else None
    return max(1, len(dataset) // max(1, times))
