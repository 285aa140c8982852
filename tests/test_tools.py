"""The tools as a user starts them, in their own process and an unrelated folder."""

import json
import os
import subprocess
import sys

import cv2
import pytest
import torch
from support import SEG50
from tool_process import TOOLS, one_line_error, start

PATH = os.pathsep.join([os.path.dirname(sys.executable), os.environ['PATH']])
SMALL = [
    '--cfg-options',
    *(f'{part}.num_workers=0' for part in ('test_dataloader', 'val_dataloader')),
    'train_dataloader.num_workers=0',
    'test_dataloader.persistent_workers=False',
    'val_dataloader.persistent_workers=False',
    'train_dataloader.persistent_workers=False',
]
TRAIN = [
    'model.siam=None',  # without a teacher
    *('train_dataloader.batch_size=2', 'train_cfg.val_interval=100'),
    *('default_hooks.logger.interval=1', 'default_hooks.checkpoint.interval=1'),
    *('model.backbone.base_channels=8', 'model.backbone.dappm_channels=8'),
    *('model.decode_head.in_channels=32', 'model.decode_head.channels=32'),
    *('model.auxiliary_head.in_channels=16', 'model.auxiliary_head.channels=16'),
    'model.data_preprocessor.size=(64,64)',
    'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
]


def metrics(work_dir):
    """The metrics that a test run wrote."""
    (path,) = sorted(work_dir.glob('*/*.json'))
    return json.loads(path.read_text().splitlines()[-1])


def test_test_tool_tests_a_released_file_and_draws(released_city_s, streets, tmp_path):
    done = start(
        'test.py', SEG50, released_city_s, '--data-root', streets,
        '--work-dir', 'work', '--show-dir', 'shown', '--out', 'labels', *SMALL,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 0 <= metrics(tmp_path / 'work')['mIoU'] <= 100
    assert len(list((tmp_path / 'shown').rglob('*.png'))) == 2
    labels = sorted((tmp_path / 'labels').glob('*.png'))
    assert len(labels) == 2
    assert cv2.imread(str(labels[0]), cv2.IMREAD_UNCHANGED).shape == (128, 256)


def test_tta_averages_scales_and_flips(released_city_s, streets, tmp_path):
    done = start(
        'test.py', SEG50, released_city_s, '--data-root', streets, '--tta',
        '--work-dir', 'work', *SMALL,
        *(f'tta_pipeline.1.transforms.0.{i}.scale=(128,64)' for i in range(6)),
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 0 <= metrics(tmp_path / 'work')['mIoU'] <= 100


def test_train_tool_trains_resumes_and_its_checkpoint_opens(streets, tmp_path):
    common = [SEG50, '--data-root', streets, '--work-dir', 'work']
    done = start(
        'train.py', *common, *SMALL, *TRAIN, 'train_cfg.max_iters=2', cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert 'decode.loss_ce' in done.stdout + done.stderr
    done = start(
        'train.py', *common, '--resume', *SMALL, *TRAIN, 'train_cfg.max_iters=3',
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'resumed epoch: 0, iter: 2' in done.stdout + done.stderr
    done = start(
        'convert_checkpoint.py', 'work/iter_3.pth', 'student.safetensors', cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'student.safetensors').stat().st_size > 1000


def test_mixed_precision_trains_on_a_cpu(streets, tmp_path):
    done = start(
        'train.py', SEG50, '--data-root', streets, '--work-dir', 'work', '--amp',
        *SMALL, *TRAIN, 'train_cfg.max_iters=1', cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / 'work' / 'iter_1.pth').is_file()


def test_training_starts_from_released_weights(released_city_s, streets, tmp_path):
    """Whole through load_from; for other classes through init_cfg of the backbone."""
    common = [SEG50, '--data-root', streets, '--work-dir', 'work', *SMALL, *TRAIN[:5]]
    common += ['train_cfg.max_iters=1', 'optim_wrapper.optimizer.lr=0.0']
    common += ['model.data_preprocessor.size=(64,64)', *TRAIN[-1:]]
    weights = torch.load(released_city_s, weights_only=True)['state_dict']
    backbone = [
        'model.backbone.init_cfg.type=Pretrained',
        f'model.backbone.init_cfg.checkpoint={released_city_s}',
        'model.decode_head.num_classes=21',
        'model.auxiliary_head.num_classes=21',
    ]
    for options in ([f'load_from={released_city_s}'], backbone):
        done = start('train.py', *common, *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        trained = torch.load(tmp_path / 'work' / 'iter_1.pth', weights_only=True)
        assert torch.equal(
            trained['state_dict']['backbone.cfblock4_1.attention.horizontal'],
            weights['backbone.layer4.attn_l.kv3'],
        )


def test_released_file_is_not_resumed_and_one_image_is_no_batch(
    released_city_s, streets, tmp_path
):
    error = one_line_error(
        start('train.py', SEG50, '--resume', released_city_s, cwd=tmp_path)
    )
    assert 'load_from' in error
    error = one_line_error(
        start(
            'train.py', SEG50, '--data-root', streets,
            '--cfg-options', 'train_dataloader.batch_size=1', cwd=tmp_path,
        )
    )  # fmt: skip
    assert 'set it to 2 or more' in error
    error = one_line_error(
        start('train.py', SEG50, '--cfg-options', 'train_pipeline.9.x=1', cwd=tmp_path)
    )
    assert '--cfg-options cannot be merged' in error


def test_distributed_test_gives_the_same_figures(released_city_s, streets, tmp_path):
    norms = [
        f'model.{part}.norm_cfg.type=BN'
        for part in ('backbone', 'decode_head', 'auxiliary_head')
    ]
    arguments = ['--data-root', streets, *SMALL, *norms]
    done = start(
        'test.py', SEG50, released_city_s, '--work-dir', 'one', *arguments, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [
            *('bash', str(TOOLS / 'dist_test.sh'), SEG50, str(released_city_s), '2'),
            *('--work-dir', 'two', *map(str, arguments)),
        ],
        cwd=tmp_path,
        env={**os.environ, 'PATH': PATH, 'PORT': '29533', 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = metrics(tmp_path / 'one'), metrics(tmp_path / 'two')
    assert {k: v for k, v in one.items() if 'time' not in k} == {
        k: v for k, v in two.items() if 'time' not in k
    }


def test_bad_command_lines_are_one_line(released_city_s, streets, tmp_path):
    error = one_line_error(start('train.py', 'sctnet-s-seg5', cwd=tmp_path))
    assert "did you mean 'sctnet-s-seg" in error
    error = one_line_error(
        start('test.py', SEG50, 'nowhere.pth', '--data-root', streets, cwd=tmp_path)
    )
    assert "checkpoint 'nowhere.pth' does not exist" in error
    error = one_line_error(
        start('train.py', SEG50, '--teacher', 'nowhere.pth', cwd=tmp_path)
    )
    assert "checkpoint 'nowhere.pth' does not exist" in error  # before the data set
    error = one_line_error(start('test.py', SEG50, released_city_s, cwd=tmp_path))
    assert 'data/cityscapes/leftImg8bit/val' in error
    error = one_line_error(
        start(
            'test.py', 'sctnet-b-seg50', released_city_s, '--data-root', streets,
            *SMALL, cwd=tmp_path,
        )
    )  # fmt: skip
    assert 'SCTNet-S (32 base channels)' in error


def test_mim_slurm_and_dist_scripts_ask_for_their_arguments(tmp_path):
    for script in ('dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh'):
        done = subprocess.run(
            ['bash', str(TOOLS / script)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr.startswith('usage: ')


@pytest.mark.parametrize('script', ['slurm_train.sh', 'slurm_test.sh'])
def test_slurm_scripts_call_srun_with_the_tool(script, tmp_path):
    fake = tmp_path / 'srun'
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    words = ['part', 'job', 'conf.py', *(['w.pth'] if 'test' in script else []), '--x']
    done = subprocess.run(
        ['bash', str(TOOLS / script), *words],
        env={'PATH': f'{tmp_path}:/usr/bin:/bin', 'GPUS': '4'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '--ntasks=4 --ntasks-per-node=4' in done.stdout
    assert f'{script[6:-3]}.py conf.py' in done.stdout
    assert done.stdout.rstrip().endswith('--launcher slurm --x')
