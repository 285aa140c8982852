"""A distillation that trains in-process in seconds, and a record of what it did."""

import uuid

import torch
from mmengine.hooks import Hook

from sctnet.apis import dataset_meta_from_config
from sctnet.catalog import load_config, merge_options
from sctnet.datasets.from_config import LOADERS
from sctnet.engine.launch import set_data_root, set_teacher
from sctnet.engine.runner import Runner

LEAF = 'sctnet_t_1xb4_600_streets_128x256'
TEACHER = 'segformer_t_1xb4_600_streets_128x256'
TERMS = ['bfa_stage3', 'bfa_stage4', 'sdha_feature', 'sdha_logits']
# The first iterations of the recipe's warm-up move no weight that float32 can tell.
SMALL = {
    **{f'{loader}.num_workers': 0 for loader in LOADERS.values()},
    'train_dataloader.batch_size': 2,
    'train_dataloader.dataset.pipeline.2.scale': (128, 64),
    'train_dataloader.dataset.pipeline.3.crop_size': (64, 64),
    'val_dataloader.dataset.pipeline.1.scale': (128, 64),
    'model.data_preprocessor.size': (64, 64),
    'param_scheduler.0.warmup_iters': 0,
    'default_hooks.logger.interval': 1,
    'custom_hooks.0.sanity_images': 1,
    'randomness': {'seed': 0},
}


def save_teacher(path, model, classes):
    """Write random weights of ``model``, a dict, as mmseg does."""
    from mmseg.registry import MODELS

    state = MODELS.build(model).state_dict()
    torch.save({'meta': {'CLASSES': classes}, 'state_dict': state}, path)
    return path


def save_teacher_of(path, config):
    """Write random weights of the teacher that ``config``, a name, describes."""
    cfg = load_config(config)
    return save_teacher(path, cfg.model, dataset_meta_from_config(cfg)['classes'])


def small_config(data, work_dir, teacher=None, options=None, leaf=LEAF, iterations=3):
    """``leaf`` for ``iterations`` on small crops of the scenes in ``data``."""
    cfg = load_config(leaf)
    set_data_root(cfg, str(data))
    if teacher:
        set_teacher(cfg, str(teacher))
    cfg.work_dir = str(work_dir)
    # mmengine shares log and visualizer between Runners of the same name.
    cfg.experiment_name = cfg.visualizer.name = uuid.uuid4().hex
    length = {'max_iters': iterations, 'val_interval': iterations}
    merge_options(cfg, {**SMALL, 'train_cfg': length, **(options or {})})
    return cfg


class Record(Hook):
    """Losses and weights of every iteration, gradients of every optimizer step."""

    def before_train(self, runner):
        self.losses = []
        self.weights = [self.weights_of(runner)]
        self.gradients = []
        runner.optim_wrapper.optimizer.register_step_pre_hook(
            lambda *_: self.gradients.append(
                {
                    name: weight.grad.cpu().clone()
                    for name, weight in runner.model.named_parameters()
                    if weight.grad is not None
                }
            )
        )

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(
            {k: float(v.detach()) for k, v in outputs.items() if 'loss' in k}
        )
        self.weights.append(self.weights_of(runner))

    @staticmethod
    def weights_of(runner):
        named = runner.model.named_parameters()
        return {k: v.detach().cpu().clone() for k, v in named}

    @property
    def moved(self):
        """Of each iteration, whether it moved any weight."""
        pairs = zip(self.weights, self.weights[1:], strict=False)
        return [any(not torch.equal(a[k], b[k]) for k in a) for a, b in pairs]


def train(cfg, watch=None):
    """Train ``cfg``; ``watch`` is shown the Runner before. Check, and return a Record.

    Every iteration must have finite losses, and the weights must have changed.
    """
    runner = Runner.from_cfg(cfg)
    record = Record()
    runner.register_hook(record)
    record.runner = runner
    if watch:
        watch(runner)
    runner.train()
    assert len(record.losses) == cfg.train_cfg.max_iters >= 3
    for losses in record.losses:
        assert all(torch.tensor(value).isfinite() for value in losses.values()), losses
    assert any(record.moved)
    return record


def siam_losses(record):
    """The alignment terms of every iteration, without their prefix."""
    return [
        {
            name.removeprefix('siam.loss_'): value
            for name, value in losses.items()
            if name.startswith('siam.')
        }
        for losses in record.losses
    ]
