"""AdamW, 160k iterations, poly decay from iteration 0 times a linear warm-up."""

from mmengine.optim import LinearLR, OptimWrapper, PolyLR
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import AdamW

optim_wrapper = dict(
    type=OptimWrapper,
    optimizer=dict(type=AdamW, lr=5e-4, betas=(0.9, 0.999), weight_decay=0.01),
    # Substrings of parameter names. The original's key 'norm' reached no norm but
    # those inside CFBlocks; all other norms and biases keep their weight decay.
    paramwise_cfg=dict(
        custom_keys={
            'head': dict(lr_mult=10.0),
            'attention.norm': dict(decay_mult=0.0),
            'ffn.norm': dict(decay_mult=0.0),
        }
    ),
)
# The ends are one past the last iteration on purpose: so these two multiply to the
# original's learning rate at every iteration (checked in tests/test_configs.py).
param_scheduler = [
    dict(type=LinearLR, start_factor=1e-6, begin=0, end=1501, by_epoch=False),
    dict(type=PolyLR, power=1.0, eta_min=0.0, begin=0, end=160001, by_epoch=False),
]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=160000, val_interval=16000)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
