"""Whether a teacher fits the student and the data, said before training starts.

A teacher that silently did not fit was the failure that users of the original reported
most: the loss falls, and the student learns nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from mmseg.evaluation import IoUMetric
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.models.segmentors import BaseSegmentor

from ..errors import ConfigError
from ..models import Teacher
from ..models.heads import label_count
from ..weights.bands import first_bands

_CHANCE = 1.5  # times what guessing gives: a teacher below this knows nothing


def check_preprocessing(segmentor: BaseSegmentor, teacher: Teacher) -> None:
    """See that student and teacher expect the same bands, normalised the same way.

    Raises:
        ConfigError: they do not; the student's images go to the teacher too.
    """
    ours = first_bands(segmentor.backbone)
    if ours != teacher.bands:
        raise ConfigError(
            f'the student takes images of {ours} bands and the teacher of '
            f'{teacher.bands}, and both see the same: train a teacher with '
            f'model.backbone.in_channels={ours}'
        )
    both = [model.data_preprocessor for model in (segmentor, teacher.segmentor)]
    if not all(isinstance(p, SegDataPreProcessor) for p in both):
        return  # one of another kind, of which nothing is known
    for name, default in (('mean', 0.0), ('std', 1.0), ('channel_conversion', False)):
        a, b = (_values(p, name, default) for p in both)
        if a != b:
            raise ConfigError(
                f'student and teacher normalise images differently ({name} is {a} and '
                f'{b}), and both see the same: set model.data_preprocessor to what the '
                'teacher was trained with'
            )


def _values(preprocessor: SegDataPreProcessor, name: str, default: Any) -> Any:
    value = getattr(preprocessor, name, default)  # mean and std may be left out
    if isinstance(value, bool):
        return value
    values = torch.as_tensor(value).flatten().tolist()
    return [round(v, 3) for v in (values * 3 if len(values) == 1 else values)]


def check_classes(
    segmentor: BaseSegmentor,
    teacher: Teacher,
    classes: Sequence[str] | None,
    logger: logging.Logger,
) -> None:
    """Log the teacher's class names beside the data set's, ``classes``.

    Raises:
        ConfigError: the numbers of student, teacher and data set differ.
    """
    if not classes:
        return
    if label_count(segmentor) != len(classes):
        raise ConfigError(
            f'the student has {label_count(segmentor)} classes and the data set '
            f'{len(classes)}: set num_classes of model.decode_head and '
            f'model.auxiliary_head to {len(classes)}'
        )
    known = label_count(teacher)
    if known != len(classes):
        raise ConfigError(
            f'the teacher has {known} classes and the data set '
            f'{len(classes)}: train a teacher on this data set, or take the data set '
            'that this one was trained on'
        )
    names = teacher.dataset_meta.get('classes') or ()
    if len(names) != len(classes):
        logger.warning(
            f"the teacher's file names {len(names) or 'no'} classes and holds weights "
            f"for {len(classes)}: that they are the data set's cannot be checked"
        )
        return
    pairs = list(enumerate(zip(names, classes, strict=True)))
    table = ', '.join(
        f'{i} {a}' if a == b else f'{i} {a} / {b} (!)' for i, (a, b) in pairs
    )
    differing = sum(a != b for _, (a, b) in pairs)
    if not differing:
        logger.info(f"the teacher's classes are the data set's: {table}")
    else:
        logger.info(f"classes, where they differ teacher's / data set's (!): {table}")
        logger.warning(
            f'{differing} of {len(classes)} class names of the teacher differ from the '
            "data set's, marked (!) above: if these are other classes, or another "
            'order, the student learns nonsense; train a teacher on this data set'
        )


def sanity_report(
    runner: Runner, segmentor: BaseSegmentor, teacher: Teacher, images: int
) -> float | None:
    """Load images of both data sets, and log the teacher's mIoU on the validation's.

    Returns:
        The mIoU in percent over ``images`` validation images; None without them.

    Raises:
        DataError: a data set that checks its labels has some outside the classes.
    """
    classes = label_count(teacher)
    ignore = segmentor.decode_head.ignore_index
    for _ in _samples(runner.train_dataloader.dataset, images):
        pass  # it is loaded, and looked at by that
    if runner.val_loop is None:
        return None
    histograms, roundings = [], []
    for sample in _samples(runner.val_dataloader.dataset, images):
        batch = segmentor.data_preprocessor(pseudo_collate([sample]), False)
        labels = sample['data_samples'].gt_sem_seg.data[0].cpu().long()
        if teacher.dtype is not None:
            roundings.append(teacher.rounding(batch['inputs']))
        (result,) = teacher.predict(batch['inputs'], batch['data_samples'])
        predicted = result.pred_sem_seg.data[0].cpu()
        counts = IoUMetric.intersect_and_union(predicted, labels, classes, ignore)
        histograms.append(torch.stack(counts))
    intersection, union, predicted_pixels, label_pixels = torch.stack(histograms).sum(0)
    present = union > 0
    miou = 100 * float((intersection[present] / union[present]).mean())
    runner.logger.info(
        f'the teacher reaches {miou:.2f} mIoU on {len(histograms)} validation images'
    )
    if roundings:
        _report_rounding(runner.logger, teacher.dtype, roundings)
    if (predicted_pixels > 0).sum() == 1 < (label_pixels > 0).sum():
        runner.logger.warning(
            'the teacher gives every pixel the same class: it has learnt nothing yet; '
            'train it longer, or take another, before training on'
        )
    # Guessing K classes evenly: 1/K of a class is met, its union is 2/K - 1/K^2.
    if classes > 1 and miou < 100 * _CHANCE / (2 * classes - 1):
        runner.logger.warning(
            f'a mIoU of {miou:.2f} is hardly above chance: check the order of classes, '
            'reduce_zero_label and the normalisation of the teacher before training on'
        )
    return miou


def _report_rounding(
    logger: logging.Logger, dtype: str | None, roundings: Sequence[dict[str, float]]
) -> None:
    mean = {name: np.mean([one[name] for one in roundings]) for name in roundings[0]}
    kept = mean.pop('labels', None)
    errors = ', '.join(f'{name} by {100 * error:.2f} %' for name, error in mean.items())
    labels = '' if kept is None else f'; {100 * kept:.2f} % of its labels stay'
    logger.info(f'in {dtype} the teacher differs from float32: {errors}{labels}')


def _samples(dataset: Any, count: int) -> Iterator[dict]:
    """Samples spread evenly over ``dataset``, loaded and augmented as configured."""
    for index in np.unique(np.linspace(0, len(dataset) - 1, count).astype(int)):
        yield dataset[int(index)]
