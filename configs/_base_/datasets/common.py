"""Pipeline steps, loaders and evaluators that every data set builds on."""

from mmcv.transforms import LoadImageFromFile, RandomFlip
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmseg.datasets.transforms import LoadAnnotations, PackSegInputs
from mmseg.evaluation import IoUMetric

from sctnet.datasets.transforms import PhotometricDistortion

load_for_training = [dict(type=LoadImageFromFile), dict(type=LoadAnnotations)]
distort_and_pack = [
    dict(type=RandomFlip, prob=0.5),
    dict(type=PhotometricDistortion),
    dict(type=PackSegInputs),
]
# mmseg's inference_model and MMSegInferencer look these types up by their names.
load_for_test = dict(type='LoadImageFromFile')
load_labels_for_test = dict(type='LoadAnnotations')
pack_for_test = dict(type=PackSegInputs)

tta_ratios = [0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
tta_flip_and_pack = [
    [dict(type=RandomFlip, prob=0.0), dict(type=RandomFlip, prob=1.0)],
    [dict(type='LoadAnnotations')],
    [dict(type=PackSegInputs)],
]

train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type=InfiniteSampler, shuffle=True),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type=DefaultSampler, shuffle=False),
)
val_evaluator = dict(type=IoUMetric, iou_metrics=['mIoU'])
test_evaluator = val_evaluator
