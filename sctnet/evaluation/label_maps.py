"""Predictions of a test as PNGs, with labels to compare them with or without."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner
from mmseg.registry import METRICS

from ..compat.config_types import kind_of
from ..datasets.check.sample_files import find_fault
from ..datasets.from_config import check_list, datasets_of
from ..datasets.images import SUFFIXES
from ..datasets.listing import build_dataset
from ..engine.broken_files import innermost
from ..engine.launch import evaluators_of
from ..engine.written_labels import TAKE_INDEX, written_values
from ..errors import ConfigError, DataError, OutputError
from ..files import check_writable, find_files, write_bytes


@METRICS.register_module()
class LabelMapMetric(BaseMetric):
    """Writes the predicted label map of each image as a grey PNG; measures nothing.

    Args:
        out_dir: folder of the PNGs.
        values: what stands for each class in them; None takes the class indices.
        **kwargs: those of mmengine's ``BaseMetric``.
    """

    default_prefix = 'labels'

    def __init__(
        self, out_dir: str, values: Sequence[int] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.out_dir = out_dir
        self.values = values
        self.names: dict[str, str] = {}  # of each image's path, below out_dir
        self.written: set[str] | None = None  # paths; on the main process, at the end

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Write the label maps of a batch; raises OutputError."""
        count = len(self.dataset_meta['classes'])
        values = np.array(self.values or range(count))
        kind = np.uint8 if values.max() < 256 else np.uint16
        for sample in data_samples:
            found = sample['pred_sem_seg']['data']
            labels = found.reshape(found.shape[-2:]).long().cpu().numpy()
            png = cv2.imencode('.png', values[labels].astype(kind))[1]
            path = str(sample['img_path'])
            write_bytes(Path(self.out_dir, self.names[path]), png.tobytes())
            self.results.append(path)

    def compute_metrics(self, results: list[str]) -> dict[str, float]:
        """Keep which images were written, of all processes; return no figure."""
        self.written = set(results)
        return {}


def save_label_maps(cfg: Config, out_dir: str, labels: str = 'index') -> None:
    """Let a test write the label map of every image; see :func:`name_label_maps`.

    Evaluators that only wrote files (``format_only``) go.

    Args:
        cfg: the config, which is changed.
        out_dir: folder of the PNGs.
        labels: what they hold, a key of :data:`sctnet.datasets.label_values.WRITTEN`.

    Raises:
        ArgumentError, ConfigError: ``labels`` does not go with the classes.
        OutputError: ``out_dir`` cannot be written.
    """
    ours: dict[str, Any] = {'type': 'LabelMapMetric', 'out_dir': out_dir}
    if labels != 'index':
        first = build_dataset(next(datasets_of(cfg, ['test_dataloader'])), TAKE_INDEX)
        classes = first.metainfo.get('classes') or ()
        ours['values'] = written_values(labels, len(classes), classes, cfg).tolist()
    check_writable(out_dir, '--out')
    kept = [one for one in evaluators_of(cfg) if not one.get('format_only')]
    cfg.test_evaluator = [*kept, ours]


def without_labels(cfg: Config, images: str | None = None) -> None:
    """Let a test of ``cfg`` read images alone, and write their label maps alone.

    Args:
        cfg: by :func:`save_label_maps`; it is changed.
        images: a folder in the place of the test data's; it is read with all below it.

    Raises:
        DataError: there is no image, or no list of them.
    """
    cfg.test_evaluator = cfg.test_evaluator[-1:]
    if images is not None:
        _take_images(cfg, images)
    for dataset in datasets_of(cfg, ['test_dataloader']):
        dataset.get('data_prefix', {}).pop('seg_map_path', None)
        dataset.pipeline = _images_alone(dataset.get('pipeline') or ())
        check_list(dataset, '; or name a folder of images by --images')


def _take_images(cfg: Config, images: str) -> None:
    first = next(datasets_of(cfg, ['test_dataloader']))
    built = build_dataset(first, 'leave --images out')
    own = built.img_suffix
    suffixes = (*SUFFIXES, *([own] if isinstance(own, str) else own))
    if not find_files(Path(images), suffixes):
        raise DataError(
            f"'{images}' has no image ({', '.join(suffixes)}): name another folder "
            'with --images'
        )
    cfg.test_dataloader.dataset = {
        'type': 'FolderDataset',
        'img_suffix': suffixes,
        'metainfo': {key: built.metainfo[key] for key in ('classes', 'palette')},
        'data_prefix': {'img_path': images},
        'pipeline': first.get('pipeline'),
    }


def _images_alone(steps: Sequence[Any]) -> list[Any]:
    """Leave out what loads labels, inside a test-time augmentation too."""
    kept = []
    for step in steps:
        if isinstance(step, list | tuple):
            step = _images_alone(step)
        elif 'Annotation' in kind_of(step):
            continue
        elif kind_of(step) == 'TestTimeAug':
            step['transforms'] = _images_alone(step['transforms'])
        if step:  # a choice among no steps would leave nothing to run
            kept.append(step)
    return kept


def name_label_maps(runner: Runner) -> LabelMapMetric:
    """Name the PNG of each image that ``runner`` will test: the tree below the images'.

    Raises:
        ConfigError: the data set does not say where its images are.
        DataError: two images would have one PNG.
        OutputError: the PNGs would come among the images.
    """
    found = runner.test_loop.evaluator.metrics
    metric = next(one for one in found if isinstance(one, LabelMapMetric))
    images: dict[str, str] = {}
    for dataset in innermost(runner.test_loop.dataloader.dataset):
        if not hasattr(dataset, 'get_data_info'):
            raise ConfigError(
                f'a {type(dataset).__name__} does not say where its images are: leave '
                '--out out'
            )
        folder = str(getattr(dataset, 'data_prefix', {}).get('img_path') or '')
        if folder and Path(metric.out_dir).resolve().is_relative_to(
            Path(folder).resolve()
        ):
            raise OutputError(
                f"'{metric.out_dir}' is in the folder of the images, '{folder}': name "
                'another one with --out'
            )
        for index in range(len(dataset)):
            path = str(dataset.get_data_info(index)['img_path'])
            name = os.path.relpath(path, folder or '.')
            name = os.path.basename(path) if name.startswith('..') else name
            name = os.path.splitext(name)[0] + '.png'
            if images.setdefault(name, path) != path:
                raise DataError(
                    f"'{images[name]}' and '{path}' would share one label map, "
                    f"'{name}': give one of them another name"
                )
            metric.names[path] = name
    return metric


def missing_label_maps(metric: LabelMapMetric) -> list[str]:
    """Return a sentence for each image that a finished test wrote no label map of."""
    missing = sorted(metric.names.keys() - (metric.written or set()))
    faults = [find_fault({'img_path': path}) or (path, '?') for path in missing]
    return [f"'{path}' cannot be read ({fault})" for path, fault in faults]
