crop_size = (
    128,
    256,
)
custom_hooks = [
    dict(
        checkpoint='teacher.pth',
        sanity_images=1,
        teacher='segformer-t-streets',
        type='sctnet.engine.DistillationHook'),
]
data_root = 'data'
default_hooks = dict(
    checkpoint=dict(
        by_epoch=False,
        interval=2,
        max_keep_ckpts=-1,
        save_best='mIoU',
        type='sctnet.engine.AtomicCheckpointHook'),
    finite_loss=dict(type='sctnet.engine.FiniteLossHook'),
    logger=dict(
        interval=1,
        log_metric_by_epoch=False,
        type='mmengine.hooks.LoggerHook'),
    param_scheduler=dict(type='mmengine.hooks.ParamSchedulerHook'),
    sampler_seed=dict(type='mmengine.hooks.DistSamplerSeedHook'),
    timer=dict(type='mmengine.hooks.IterTimerHook'),
    visualization=dict(type='mmseg.engine.hooks.SegVisualizationHook'))
default_scope = 'mmseg'
distort_and_pack = [
    dict(prob=0.5, type='mmcv.transforms.RandomFlip'),
    dict(type='mmseg.datasets.transforms.PhotoMetricDistortion'),
    dict(type='mmseg.datasets.transforms.PackSegInputs'),
]
env_cfg = dict(
    cudnn_benchmark=True,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
launcher = 'none'
load_for_test = dict(type='LoadImageFromFile')
load_for_training = [
    dict(type='mmcv.transforms.LoadImageFromFile'),
    dict(type='mmseg.datasets.transforms.LoadAnnotations'),
]
load_from = None
load_labels_for_test = dict(type='LoadAnnotations')
loader = dict(
    batch_size=1,
    dataset=dict(
        data_prefix=dict(
            img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        data_root='data/street_scenes',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(
                keep_ratio=True,
                scale=(
                    128,
                    64,
                ),
                type='mmcv.transforms.Resize'),
            dict(type='LoadAnnotations'),
            dict(type='mmseg.datasets.transforms.PackSegInputs'),
        ],
        type='mmseg.datasets.CityscapesDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=False, type='mmengine.dataset.DefaultSampler'))
log_level = 'INFO'
log_processor = dict(by_epoch=False, type='mmengine.runner.LogProcessor')
model = dict(
    auxiliary_head=dict(
        channels=8,
        in_channels=8,
        in_index=0,
        loss_decode=dict(
            loss_weight=0.4, type='sctnet.models.PixelCrossEntropyLoss'),
        norm_cfg=dict(requires_grad=True, type='SyncBN'),
        num_classes=19,
        type='sctnet.models.SCTHead'),
    backbone=dict(
        base_channels=4,
        dappm_channels=8,
        norm_cfg=dict(requires_grad=True, type='SyncBN'),
        num_keys=8,
        type='sctnet.models.SCTNet'),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            123.675,
            116.28,
            103.53,
        ],
        pad_val=0,
        seg_pad_val=255,
        size=(
            64,
            64,
        ),
        std=[
            58.395,
            57.12,
            57.375,
        ],
        type='mmseg.models.data_preprocessor.SegDataPreProcessor'),
    decode_head=dict(
        channels=16,
        in_channels=16,
        in_index=3,
        loss_decode=dict(
            loss_weight=1.0, type='sctnet.models.PixelCrossEntropyLoss'),
        norm_cfg=dict(requires_grad=True, type='SyncBN'),
        num_classes=19,
        type='sctnet.models.SCTHead'),
    siam=dict(
        bfa=dict(
            stage3=dict(
                student_channels=16,
                student_index=1,
                teacher_channels=160,
                teacher_index=2),
            stage4=dict(
                student_channels=32,
                student_index=2,
                teacher_channels=256,
                teacher_index=3)),
        loss_weights=dict(
            bfa_stage3=15.0,
            bfa_stage4=15.0,
            sdha_feature=15.0,
            sdha_logits=3.0),
        sdha=dict(merged_channels=256, student_channels=16, student_index=3),
        type='sctnet.models.SIAM'),
    test_cfg=dict(fused=True, mode='whole'),
    train_cfg=dict(fused=True),
    type='sctnet.models.SCTSegmentor')
norm_cfg = dict(requires_grad=True, type='SyncBN')
num_classes = 19
optim_wrapper = dict(
    optimizer=dict(
        betas=(
            0.9,
            0.999,
        ),
        fused=True,
        lr=0.001,
        type='torch.optim.AdamW',
        weight_decay=0.01),
    paramwise_cfg=None,
    type='mmengine.optim.OptimWrapper')
pack_for_test = dict(type='mmseg.datasets.transforms.PackSegInputs')
param_scheduler = [
    dict(max_iters=6, type='sctnet.engine.WarmupPolyLR', warmup_iters=2),
]
preprocessor = dict(
    bgr_to_rgb=True,
    mean=[
        123.675,
        116.28,
        103.53,
    ],
    pad_val=0,
    seg_pad_val=255,
    std=[
        58.395,
        57.12,
        57.375,
    ],
    type='mmseg.models.data_preprocessor.SegDataPreProcessor')
randomness = dict(seed=3)
resume = False
test_cfg = dict(type='mmengine.runner.TestLoop')
test_dataloader = dict(
    batch_size=1,
    dataset=dict(
        data_prefix=dict(
            img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        data_root='data',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(
                keep_ratio=True,
                scale=(
                    128,
                    64,
                ),
                type='mmcv.transforms.Resize'),
            dict(type='LoadAnnotations'),
            dict(type='mmseg.datasets.transforms.PackSegInputs'),
        ],
        type='mmseg.datasets.CityscapesDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=False, type='mmengine.dataset.DefaultSampler'))
test_evaluator = dict(
    iou_metrics=[
        'mIoU',
    ], type='mmseg.evaluation.IoUMetric')
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(keep_ratio=True, scale=(
        128,
        64,
    ), type='mmcv.transforms.Resize'),
    dict(type='LoadAnnotations'),
    dict(type='mmseg.datasets.transforms.PackSegInputs'),
]
train_cfg = dict(
    max_iters=6, type='sctnet.engine.ResumableTrainLoop', val_interval=6)
train_dataloader = dict(
    batch_size=2,
    dataset=dict(
        data_prefix=dict(
            img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
        data_root='data',
        pipeline=[
            dict(type='mmcv.transforms.LoadImageFromFile'),
            dict(type='mmseg.datasets.transforms.LoadAnnotations'),
            dict(
                keep_ratio=True,
                ratio_range=(
                    0.5,
                    1.5,
                ),
                scale=(
                    128,
                    64,
                ),
                type='mmcv.transforms.RandomResize'),
            dict(
                cat_max_ratio=0.75,
                crop_size=(
                    64,
                    64,
                ),
                type='mmseg.datasets.transforms.RandomCrop'),
            dict(prob=0.5, type='mmcv.transforms.RandomFlip'),
            dict(type='mmseg.datasets.transforms.PhotoMetricDistortion'),
            dict(type='mmseg.datasets.transforms.PackSegInputs'),
        ],
        type='mmseg.datasets.CityscapesDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=True, type='mmengine.dataset.InfiniteSampler'))
train_pipeline = [
    dict(type='mmcv.transforms.LoadImageFromFile'),
    dict(type='mmseg.datasets.transforms.LoadAnnotations'),
    dict(
        keep_ratio=True,
        ratio_range=(
            0.5,
            1.5,
        ),
        scale=(
            128,
            64,
        ),
        type='mmcv.transforms.RandomResize'),
    dict(
        cat_max_ratio=0.75,
        crop_size=(
            64,
            64,
        ),
        type='mmseg.datasets.transforms.RandomCrop'),
    dict(prob=0.5, type='mmcv.transforms.RandomFlip'),
    dict(type='mmseg.datasets.transforms.PhotoMetricDistortion'),
    dict(type='mmseg.datasets.transforms.PackSegInputs'),
]
tta_flip_and_pack = [
    [
        dict(prob=0.0, type='mmcv.transforms.RandomFlip'),
        dict(prob=1.0, type='mmcv.transforms.RandomFlip'),
    ],
    [
        dict(type='LoadAnnotations'),
    ],
    [
        dict(type='mmseg.datasets.transforms.PackSegInputs'),
    ],
]
tta_model = dict(type='mmseg.models.segmentors.SegTTAModel')
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        transforms=[
            [
                dict(
                    keep_ratio=True,
                    scale=(
                        256,
                        128,
                    ),
                    type='mmcv.transforms.Resize'),
                dict(
                    keep_ratio=True,
                    scale=(
                        384,
                        192,
                    ),
                    type='mmcv.transforms.Resize'),
                dict(
                    keep_ratio=True,
                    scale=(
                        512,
                        256,
                    ),
                    type='mmcv.transforms.Resize'),
                dict(
                    keep_ratio=True,
                    scale=(
                        640,
                        320,
                    ),
                    type='mmcv.transforms.Resize'),
                dict(
                    keep_ratio=True,
                    scale=(
                        768,
                        384,
                    ),
                    type='mmcv.transforms.Resize'),
                dict(
                    keep_ratio=True,
                    scale=(
                        896,
                        448,
                    ),
                    type='mmcv.transforms.Resize'),
            ],
            [
                dict(prob=0.0, type='mmcv.transforms.RandomFlip'),
                dict(prob=1.0, type='mmcv.transforms.RandomFlip'),
            ],
            [
                dict(type='LoadAnnotations'),
            ],
            [
                dict(type='mmseg.datasets.transforms.PackSegInputs'),
            ],
        ],
        type='mmcv.transforms.TestTimeAug'),
]
tta_ratios = [
    0.5,
    0.75,
    1.0,
    1.25,
    1.5,
    1.75,
]
tta_resizes = [
    dict(keep_ratio=True, scale=(
        256,
        128,
    ), type='mmcv.transforms.Resize'),
    dict(keep_ratio=True, scale=(
        384,
        192,
    ), type='mmcv.transforms.Resize'),
    dict(keep_ratio=True, scale=(
        512,
        256,
    ), type='mmcv.transforms.Resize'),
    dict(keep_ratio=True, scale=(
        640,
        320,
    ), type='mmcv.transforms.Resize'),
    dict(keep_ratio=True, scale=(
        768,
        384,
    ), type='mmcv.transforms.Resize'),
    dict(keep_ratio=True, scale=(
        896,
        448,
    ), type='mmcv.transforms.Resize'),
]
val_cfg = dict(type='mmengine.runner.ValLoop')
val_dataloader = dict(
    batch_size=1,
    dataset=dict(
        data_prefix=dict(
            img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        data_root='data',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(
                keep_ratio=True,
                scale=(
                    128,
                    64,
                ),
                type='mmcv.transforms.Resize'),
            dict(type='LoadAnnotations'),
            dict(type='mmseg.datasets.transforms.PackSegInputs'),
        ],
        type='mmseg.datasets.CityscapesDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=False, type='mmengine.dataset.DefaultSampler'))
val_evaluator = dict(
    iou_metrics=[
        'mIoU',
    ], type='mmseg.evaluation.IoUMetric')
vis_backends = [
    dict(type='mmengine.visualization.LocalVisBackend'),
]
visualizer = dict(
    name='visualizer',
    type='mmseg.visualization.SegLocalVisualizer',
    vis_backends=[
        dict(type='mmengine.visualization.LocalVisBackend'),
    ])
work_dir = 'work'
