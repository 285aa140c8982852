"""``init_cfg`` of type Pretrained: what of the file was taken, said or refused."""

import contextlib
from collections.abc import Iterator

from mmengine.logging import print_log
from mmengine.model import PretrainedInit
from mmengine.model.weight_init import update_init_info
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from ..errors import CheckpointError
from .bands import adapt_bands
from .fit import check_weights
from .partial_fit import below, fit_in_part, names_that_fit
from .safe_files import weights_of


@contextlib.contextmanager
def checked_pretraining(model: nn.Module) -> Iterator[None]:
    """Let ``init_weights`` of ``model`` load pre-trained files by this module.

    mmengine's own way only warns of weights that do not fit, and goes on without them.
    Backbones that read their file themselves, such as mmseg's Swin, still do.
    """
    names = {id(part): name for name, part in model.named_modules()}
    original = PretrainedInit.__call__

    def load(init: PretrainedInit, module: nn.Module) -> None:
        name = names.get(id(module)) or type(module).__name__
        said = load_pretrained(module, init.checkpoint, init.prefix)
        print_log(f"{name}: {said} from '{init.checkpoint}'", 'current')
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=init._get_init_info())

    PretrainedInit.__call__ = load
    try:
        yield
    finally:
        PretrainedInit.__call__ = original


def load_pretrained(module: nn.Module, file: str, prefix: str | None = None) -> str:
    """Load into ``module`` what fits of a pre-trained file, and say how much that was.

    Args:
        module: a backbone as a rule. One of ours is loaded whole or not at all.
        file: path or URL of a backbone's weights, a segmentor's or a classifier's.
        prefix: of the weights to take; found by itself if it is left out.

    Raises:
        CheckpointError: the file cannot be read, or less than half of ``module`` fits.
    """
    content = CheckpointLoader.load_checkpoint(file, map_location='cpu')
    try:
        weights = weights_of(content)
        if prefix:
            weights = below(weights, f'{prefix.removesuffix(".")}.')
            if not weights:
                raise CheckpointError(
                    f"none of its weights is below the init_cfg's prefix '{prefix}': "
                    'leave the prefix out'
                )
        if hasattr(module, 'adapt_weights'):
            own = module.state_dict()
            check_weights(own, adapt_bands(own, names_that_fit(module, weights)))
        fit = fit_in_part(module, weights)
    except CheckpointError as error:
        raise CheckpointError(f"cannot load '{file}': {error}") from error
    module.load_state_dict(fit.weights)
    return fit.report
