"""Label maps whose values are no classes, found before something fails on them."""

from mmseg.utils import SampleList
from torch import Tensor

from ..errors import DataError


def check_labels(labels: Tensor, classes: int, ignore_index: int, where: str) -> None:
    """See that integer labels of any shape are below ``classes``, or to ignore.

    Args:
        labels: of one image or several.
        classes: number of them.
        ignore_index: label of pixels that count nothing.
        where: what holds them, such as a file's path in quotes.

    Raises:
        DataError: some are not.
    """
    outside = ((labels < 0) | (labels >= classes)) & (labels != ignore_index)
    if outside.any():
        found = labels[outside].unique()[:5].tolist()
        raise DataError(
            f'{where} has labels {found} outside the {classes} classes (0 to '
            f'{classes - 1}, and {ignore_index} to ignore): convert the label maps, or '
            "check the data set's reduce_zero_label and classes"
        )


def check_samples(samples: SampleList, classes: int, ignore_index: int) -> None:
    """Check the label map (1, H, W) of each sample, and name its file.

    On a CPU alone: a GPU would have to wait for the answer.
    """
    for sample in samples:
        labels = sample.gt_sem_seg.data
        if labels.device.type == 'cpu':
            path = getattr(sample, 'seg_map_path', None) or getattr(
                sample, 'img_path', None
            )
            where = f"'{path}'" if path else 'a label map'
            check_labels(labels, classes, ignore_index, where)
