"""Several processes on machines without a GPU."""

import torch
from mmengine.config import Config


def join_cpu_processes(cfg: Config) -> None:
    """Start gloo and its SyncBN where torchrun launched processes without a GPU.

    mmengine's own start sets a CUDA device in any case, and torch's SyncBN wants one.
    """
    if cfg.launcher == 'pytorch' and not torch.cuda.is_available():
        from .cpu_sync_norm import use_cpu_sync_norm

        use_cpu_sync_norm()
        torch.distributed.init_process_group('gloo')
        # A GPU's number is what mmengine would give, also without one.
        wrapper = dict(cfg.get('model_wrapper_cfg') or {})
        wrapper.setdefault('type', 'MMDistributedDataParallel')
        wrapper.setdefault('broadcast_buffers', False)
        unused = cfg.get('find_unused_parameters', False)
        wrapper.setdefault('find_unused_parameters', unused)
        cfg.model_wrapper_cfg = {**wrapper, 'device_ids': None}
