"""``sctnet train``: a run, a resumed one, released weights, and what it refuses."""

import re

import pytest
import torch
from support import SEG50
from tool_process import call, one_line_error

pytestmark = pytest.mark.slow

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
LOADING = [
    *(f'{loader}.num_workers=0' for loader in LOADERS),
    *(f'{loader}.persistent_workers=False' for loader in LOADERS),
]
SHORT = [
    'model.siam=None',  # without a teacher
    *('train_dataloader.batch_size=2', 'train_cfg.val_interval=100'),
    *('default_hooks.logger.interval=1', 'default_hooks.checkpoint.interval=1'),
    'model.data_preprocessor.size=(64,64)',
    'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
]
NARROW = [
    *('model.backbone.base_channels=8', 'model.backbone.dappm_channels=8'),
    *('model.decode_head.in_channels=32', 'model.decode_head.channels=32'),
    *('model.auxiliary_head.in_channels=16', 'model.auxiliary_head.channels=16'),
]


def train(folder, streets, *words):
    """Train SEG50 in ``folder``; ``words`` end with config options."""
    common = (SEG50, '--data-root', streets, '--work-dir', 'work')
    at = next(i for i, word in enumerate((*words, '=')) if '=' in word)
    options = ('--cfg-options', *LOADING, *SHORT, *words[at:])
    done = call('train', *common, *words[:at], *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_training_is_resumed_and_its_folder_names_its_weights(streets, tmp_path):
    said = train(tmp_path, streets, 'train_cfg.max_iters=2', *NARROW)
    assert 'decode.loss_ce' in said
    said = train(tmp_path, streets, '--resume', 'train_cfg.max_iters=3', *NARROW)
    assert 'resumed epoch: 0, iter: 2' in said
    assert 'the learning rate at iteration 2 is' in said
    done = call('plot', 'work', '--smooth', '0.9', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'work' / 'curves.png').stat().st_size > 10_000
    done = call('weights', 'work', 'student.safetensors', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    taken = r"of 'work' the checkpoint 'work/\w+_\d\.pth' is taken"
    assert re.search(taken, done.stdout), done.stdout
    assert (tmp_path / 'student.safetensors').stat().st_size > 1000


def test_training_starts_from_released_weights(released_city_s, streets, tmp_path):
    """With --from what fits other classes; through init_cfg the backbone alone."""
    weights = torch.load(released_city_s, weights_only=True)['state_dict']
    backbone = [
        'model.backbone.init_cfg.type=Pretrained',
        f'model.backbone.init_cfg.checkpoint={released_city_s}',
    ]
    other = [
        f'model.{head}.num_classes=21' for head in ('decode_head', 'auxiliary_head')
    ]
    still = ['train_cfg.max_iters=1', 'optim_wrapper.optimizer.lr=0.0', *other]
    for words in (['--amp', '--from', str(released_city_s)], backbone):
        said = train(tmp_path, streets, *words, *still)
        dumped = next((tmp_path / 'work').glob('*.py')).read_text()
        assert ('BFloat16OptimWrapper' in dumped) == ('--amp' in words)
        afresh = 'start afresh: decode_head.conv_seg, auxiliary_head.conv_seg ('
        assert (afresh in said) == ('--from' in words)
        trained = torch.load(tmp_path / 'work' / 'iter_1.pth', weights_only=True)
        assert torch.equal(
            trained['state_dict']['backbone.cfblock4_1.attention.horizontal'],
            weights['backbone.layer4.attn_l.kv3'],
        )


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['train', 'sctnet-s-seg5'], "did you mean 'sctnet-s-seg"),
        # said before the data set, which is not there either
        (
            ['train', SEG50, '--teacher', 'nowhere.pth'],
            "checkpoint 'nowhere.pth' does not exist",
        ),
        (['test', SEG50, '.'], "folder '.' holds no best_*.pth"),
        (['test', SEG50, 'RELEASED'], 'data/cityscapes/leftImg8bit/val'),
    ],
)
def test_bad_command_lines_are_one_line(words, expected, released_city_s, tmp_path):
    words = [released_city_s if word == 'RELEASED' else word for word in words]
    assert expected in one_line_error(call(*words, cwd=tmp_path))
