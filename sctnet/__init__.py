"""SCTNet (Xu et al., AAAI 2024) for MMSegmentation 1.x and MMEngine.

Importing the package is light: it loads neither torch nor mmengine. What their present
versions lack is put right when each is first imported, see :mod:`sctnet.compat`; so
import sctnet before mmseg.
"""

from .compat import aliases, import_hook

__version__ = '0.1.0'

import_hook.install(
    {
        'mmengine': import_hook.before('sctnet.compat.gaps:restore_find_loader'),
        'mmengine.utils.manager': import_hook.after(
            'sctnet.compat.gaps:release_lock_of_failures'
        ),
        'mmengine.runner.checkpoint': import_hook.after(
            'sctnet.weights.mmengine_loaders:register_loaders'
        ),
        'mmcv': import_hook.before('sctnet.compat.gaps:stand_in_for_missing_ops'),
        'mmseg': import_hook.before('sctnet.compat.gaps:need_mmcv'),
        'torch': import_hook.after('sctnet.compat.gaps:name_checkpoint_types'),
        'torchvision': import_hook.before('sctnet.compat.gaps:declare_torchvision_ops'),
    }
)
aliases.install()
