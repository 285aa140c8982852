"""SGD, 100 epochs of ImageNet in batches of 1024, five of them to warm up, cosine."""

from mmengine.optim import CosineAnnealingLR, LinearLR, OptimWrapper
from mmengine.runner import TestLoop, ValLoop
from torch.optim import SGD

from sctnet.engine import ResumableTrainLoop

# 1,281,167 images in steps of 8 x 128 are 1251 iterations an epoch.
optim_wrapper = dict(
    type=OptimWrapper,
    optimizer=dict(type=SGD, lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True),
)
# The learning rate above is for 256 images; mmengine multiplies it by the real batch.
auto_scale_lr = dict(base_batch_size=256, enable=True)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.01, by_epoch=False, begin=0, end=6255),
    dict(type=CosineAnnealingLR, T_max=118845, by_epoch=False, begin=6255, end=125100),
]
train_cfg = dict(type=ResumableTrainLoop, max_iters=125100, val_interval=1251)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
