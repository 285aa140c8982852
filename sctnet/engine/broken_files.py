"""Broken files in the middle of a training: left out, named and counted."""

import os
from collections.abc import Mapping
from typing import Any

from mmengine.runner import Runner
from PIL import Image

from ..dataset_check.inspection import read_labels
from ..errors import DataError, ImageError
from ..images import looks_complete, read_image

_IN_A_ROW = 100  # so many neighbours broken: something else is wrong


class SoundLoader:
    """Loads samples; in the place of a broken one, the next that is sound.

    A sample that had to stand in carries ``skipped_files``, pairs of path and fault, in
    its data sample. Files are taken for sound without decoding them twice: the end of
    the image and the two sizes are looked at once, and whatever fails later is looked
    at again. An error that no file explains is raised as it is.

    Args:
        dataset: gives a sample by its index, and its files by ``get_data_info``;
            without that it is used as it is.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._sound: set[int] = set()

    def load(self, index: int) -> Any:
        """Return sample ``index``, augmented as configured, or the next sound one.

        Raises:
            DataError: a hundred in a row are broken, or all.
        """
        if not hasattr(self.dataset, 'get_data_info'):
            return self.dataset[index]
        skipped: list[tuple[str, str]] = []
        while len(skipped) < min(len(self.dataset), _IN_A_ROW):
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
        info = self.dataset.get_data_info(index)
        if index not in self._sound:
            fault = glance(info)
            if fault is not None:
                return None, fault
            self._sound.add(index)
        try:
            return self.dataset[index], None
        except Exception:
            fault = find_fault(info)
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


def glance(info: Mapping[str, Any]) -> tuple[str, str] | None:
    """Look at the end of the image and both sizes; return path and fault, or None."""
    image, labels = info.get('img_path'), info.get('seg_map_path')
    if image is None or '://' in image:
        return None
    try:
        with open(image, 'rb') as file:
            head = file.read(4)
            file.seek(max(0, os.fstat(file.fileno()).st_size - 64))
            whole = looks_complete(head + file.read())
        if whole and labels is not None:
            sizes = _size(image), _size(labels)
            if sizes[0] != sizes[1]:
                a, b = ('x'.join(map(str, size)) for size in sizes)
                return labels, f'image {a}, label map {b}'
    except Exception:  # Pillow has many; which file and why is found out below
        whole = False
    return None if whole else find_fault(info)


def _size(path: str) -> tuple[int, int]:
    with Image.open(path) as image:
        turned = image.getexif().get(0x0112, 1) >= 5  # as OpenCV turns what it decodes
        return image.size[::-1] if turned else image.size


def find_fault(info: Mapping[str, Any]) -> tuple[str, str] | None:
    """Decode a sample's files; return path and fault of the broken one, or None."""
    image, labels = info.get('img_path'), info.get('seg_map_path')
    if image is None or '://' in image:
        return None
    try:
        size = read_image(image, smallest=1).shape[:2]
    except ImageError as error:
        return image, str(error).rpartition(': ')[0].partition("' ")[2]
    if labels is None:
        return None
    read = read_labels(labels)
    if isinstance(read, str):
        return labels, read
    if read.shape[:2] != size:
        a, b = (f'{s[1]}x{s[0]}' for s in (size, read.shape))
        return labels, f'image {a}, label map {b}'
    return None


class BrokenFileCount:
    """Names each broken file once in the log; too many of them stop the run.

    Args:
        runner: its log is written, its data set counted.
        max_share: of the data set's files, 0 to 1, that may be broken.
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
        total = len(self.runner.train_dataloader.dataset)
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


def check_share(max_share: Any) -> float:
    """Return ``max_share`` if it is a share; raises :class:`DataError`."""
    if not isinstance(max_share, int | float) or not 0 <= max_share <= 1:
        raise DataError(
            f'train_cfg.max_broken_share is {max_share!r}: set it to a number from 0 '
            'to 1'
        )
    return float(max_share)
