"""mmengine's Runner, whose failures name the file, process or option at fault."""

import functools
from collections.abc import Callable
from typing import Any

from mmengine.runner import Runner as _Runner
from torch import nn
from torch.utils.data import DataLoader

from ..cli.explain_errors import explain_config, explain_run
from .liveness import watched
from .named_samples import NamedSamples


def _explained(name: str) -> Callable[..., Any]:
    """A method of mmengine's Runner whose errors are those of the config."""

    @functools.wraps(getattr(_Runner, name))
    def method(self: _Runner, *args: Any, **kwargs: Any) -> Any:
        with explain_config(self.cfg.filename):
            return getattr(_Runner, name)(self, *args, **kwargs)

    return method


class Runner(_Runner):
    """Takes the same arguments, and raises :class:`~sctnet.errors.SCTNetError`.

    For what a user can mend: see :class:`NamedSamples`.
    """

    # These are built when the run begins, from what the config says.
    build_train_loop = _explained('build_train_loop')
    build_val_loop = _explained('build_val_loop')
    build_test_loop = _explained('build_test_loop')
    build_optim_wrapper = _explained('build_optim_wrapper')
    build_param_scheduler = _explained('build_param_scheduler')
    scale_lr = _explained('scale_lr')
    load_or_resume = _explained('load_or_resume')
    _init_model_weights = _explained('_init_model_weights')

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict, *args: Any, **kwargs: Any
    ) -> DataLoader:
        """Build a loader as mmengine does; its errors name files."""
        if isinstance(dataloader, dict) and isinstance(dataloader.get('dataset'), dict):
            named = {'type': NamedSamples, 'dataset': dataloader['dataset']}
            dataloader = {**dataloader, 'dataset': named}
        return _Runner.build_dataloader(dataloader, *args, **kwargs)

    def train(self) -> nn.Module:
        """Train; see :func:`explain_run` for what it raises."""
        with explain_run(), watched():
            return super().train()

    def val(self) -> dict:
        """Validate; raises as :meth:`train`."""
        with explain_run(), watched():
            return super().val()

    def test(self) -> dict:
        """Test; raises as :meth:`train`."""
        with explain_run(), watched():
            return super().test()
