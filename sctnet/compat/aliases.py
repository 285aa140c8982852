"""Module names of before, in configs and code that users have: they keep working.

``sctnet.own_data.FolderDataset`` in a dumped config, say, is found where it is now,
with one line of warning.
"""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# Old name to new one, both below ``sctnet``; what lies below an old name moved with it.
MOVED = {
    'build': 'engine.build_model',
    'checkpoint_files': 'weights.safe_files',
    'checkpoint_loaders': 'weights.mmengine_loaders',
    'conversion': 'datasets.convert',
    'convert': 'weights.convert',
    'dataset_check': 'datasets.check',
    'dataset_check.drawing': 'evaluation.dataset_pictures',
    'datasets.own': 'datasets.folder_dataset',
    'datasets.own.dataset': 'datasets.folder_dataset',
    'deploy.exported': 'deploy.runtime_segmentor',
    'deploy.graph': 'deploy.network',
    'deploy.label_map': 'prediction.label_map',
    'deploy.predict': 'prediction.predict',
    'deploy.preprocess': 'prediction.preprocess',
    'deploy.quantise': 'deploy.int8',
    'deploy.resampling': 'prediction.resampling',
    'engine.sync_norm': 'engine.distributed',
    'evaluation.report_files': 'evaluation.report',
    'figures': 'evaluation.training_curves',
    'fused': 'models.faster_training',
    'images': 'datasets.images',
    'infer': 'streams.segment',
    'key_map': 'weights.key_map',
    'labels': 'datasets.check_labels',
    'launch': 'engine.launch',
    'mismatch': 'weights.fit',
    'models.backbone_feature_alignment': 'models.bfa',
    'models.head_losses': 'models.faster_training.head_losses',
    'models.shared_decoder_head_alignment': 'models.sdha',
    'overlay': 'datasets.overlay',
    'own_data': 'datasets.folder_dataset',
    'own_data.dataset': 'datasets.folder_dataset',
    'precision': 'models.half_precision',
    'preflight': 'engine.preflight',
    'sources': 'streams.open_input',
    'street_scenes': 'datasets.street_scenes',
    'teacher_files': 'weights.segmentor_files',
    'video': 'streams.read_video',
    'window': 'streams.preview_window',
}
_ROOT = 'sctnet.'


def install() -> None:
    """Let ``import`` find modules under their old names."""
    # First of all: below an old package the usual finders would load a file twice.
    sys.meta_path.insert(0, _OldNames())


def new_name(name: str) -> str | None:
    """Return the present name of the module that was called ``name``; None if it is."""
    head, below = name.removeprefix(_ROOT), ''
    while head:
        if head in MOVED:
            return _ROOT + MOVED[head] + below
        head, dot, last = head.rpartition('.')
        below = dot + last + below
    return None


class _OldNames(MetaPathFinder, Loader):
    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Answer to old names alone."""
        old = name.startswith(_ROOT) and new_name(name) is not None
        return ModuleSpec(name, self, is_package=True) if old else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave making a module to Python: ``exec_module`` replaces it."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the module of today in the place of the old one, and say so."""
        old = module.__name__
        new = str(new_name(old))
        try:
            now = sys.modules[old] = importlib.import_module(new)
            vars(now).setdefault('__path__', [])  # what lay below it is asked for here
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(f'No module named {old!r}', name=old) from error
        warnings.warn(
            f'{old} is {new} now: write that in configs and code',
            FutureWarning,
            stacklevel=2,
        )
