"""SCTNet (Xu et al., AAAI 2024) for MMSegmentation 1.x and MMEngine.

Importing the package is light: it loads neither torch nor mmengine. What their present
versions lack is put right when each is first imported, see :mod:`sctnet.compat`; so
import sctnet before mmseg.
"""

from .compat import aliases, import_hook

__version__ = '0.1.0'

import_hook.install(
    before={
        'mmengine': 'sctnet.compat.gaps:restore_find_loader',
        'mmcv': 'sctnet.compat.gaps:stand_in_for_missing_ops',
        'mmseg': 'sctnet.compat.gaps:need_mmcv',
        'torchvision': 'sctnet.compat.gaps:declare_torchvision_ops',
    },
    after={
        'mmengine.model.test_time_aug': 'sctnet.compat.gaps:keep_logits_to_average',
        'mmengine.utils.manager': 'sctnet.compat.gaps:release_lock_of_failures',
        'mmengine.runner.checkpoint': (
            'sctnet.weights.mmengine_loaders:register_loaders'
        ),
        'mmseg.registry': 'sctnet.compat.gaps:register_on_demand',
        'mmseg.models.losses.cross_entropy_loss': (
            'sctnet.compat.mmseg_losses:weigh_ignored_pixels'
        ),
        'mmseg.models.losses.focal_loss': (
            'sctnet.compat.mmseg_losses:compute_focal_loss_anywhere'
        ),
        'torch': 'sctnet.compat.gaps:name_checkpoint_types',
    },
)
aliases.install()
