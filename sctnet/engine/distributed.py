"""Several processes on machines without a GPU: how they meet, and their SyncBN."""

from datetime import timedelta

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import Tensor
from torch import distributed as dist
from torch.distributed.nn.functional import all_reduce
from torch.nn.modules.batchnorm import _BatchNorm

from ..models.half_precision import full_precision


class CPUSyncBatchNorm(_BatchNorm):
    """Batch norm over the batches of all processes, on a CPU and in any backend.

    Same parameters, buffers and results as ``nn.SyncBatchNorm``: mean, biased variance
    for the output, unbiased variance for the running statistics. It is not derived from
    it, because DDP refuses any such norm on a CPU.
    """

    def _check_input_dim(self, x: Tensor) -> None:
        """Any number of dimensions will do, as for SyncBatchNorm."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, ...) with the joint statistics, while training."""
        if not (self.training and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(x)
        dtype = x.dtype
        x = full_precision(x)  # sums over many pixels
        dims = [d for d in range(x.dim()) if d != 1]
        ones = x.new_full((1,), x.numel() / x.shape[1])
        # One sum of counts and sums, one of squared distances: exact also where the
        # mean is far from 0.
        total = all_reduce(torch.cat([x.sum(dims), ones]))
        count = total[-1]
        mean = total[:-1] / count
        shape = [1, -1, *[1] * (x.dim() - 2)]
        centred = x - mean.view(shape)
        variance = all_reduce((centred * centred).sum(dims)) / count
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        y = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        momentum = self.momentum  # None is a plain average
        if momentum is None:
            momentum = 1.0 / int(self.num_batches_tracked)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance, momentum)


def use_cpu_sync_norm() -> None:
    """Let ``norm_cfg=dict(type='SyncBN')`` build :class:`CPUSyncBatchNorm`."""
    MODELS.register_module('SyncBN', force=True, module=CPUSyncBatchNorm)


def join_cpu_processes(cfg: Config) -> None:
    """Start gloo and its SyncBN where torchrun launched processes without a GPU.

    mmengine's own start sets a CUDA device in any case, and torch's SyncBN wants one.
    ``env_cfg.dist_cfg.timeout``, in seconds, is how long one waits for another.
    """
    if cfg.launcher != 'pytorch' or torch.cuda.is_available():
        return
    use_cpu_sync_norm()
    seconds = (cfg.get('env_cfg', {}).get('dist_cfg') or {}).get('timeout')
    timeout = None if seconds is None else timedelta(seconds=seconds)
    dist.init_process_group('gloo', timeout=timeout)
    # A GPU's number is what mmengine would give, also without one.
    wrapper = dict(cfg.get('model_wrapper_cfg') or {})
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    wrapper.setdefault('broadcast_buffers', False)
    unused = cfg.get('find_unused_parameters', False)
    wrapper.setdefault('find_unused_parameters', unused)
    cfg.model_wrapper_cfg = {**wrapper, 'device_ids': None}
