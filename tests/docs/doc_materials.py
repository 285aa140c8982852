"""What the documented commands find in their folder: tiny data, random weights."""

import shutil

import cv2
import numpy as np
import torch
from small_training import TEACHER, save_teacher_of
from support import released_checkpoint

from sctnet.datasets.street_scenes import render_street_scene, write_street_scenes


def street(folder):
    """Write street.png, and drive.mp4 of three frames."""
    image, _ = render_street_scene(3, 128, 64)
    cv2.imwrite(str(folder / 'street.png'), image)
    codec = cv2.VideoWriter.fourcc(*'mp4v')
    video = cv2.VideoWriter(str(folder / 'drive.mp4'), codec, 8, (128, 64))
    for _ in range(3):
        video.write(image)
    video.release()


def scenes(folder):
    """Write two street scenes for training and two for validation, twice."""
    root = write_street_scenes(folder / 'data' / 'street_scenes', 2, 2, (256, 128))
    shutil.copytree(root, folder / 'data' / 'cityscapes')


def student(folder):
    """Write the file of SCTNet-S that the pages name, in released form."""
    released_checkpoint('city_s_seg50', folder / 'sctnet_s_seg50.pth', False)


def tiny_networks(folder):
    """Write a teacher's and a student's work folder, of the street scenes' configs."""
    for name, config in (('teacher/iter_0', TEACHER), ('student/iter_600', None)):
        file = folder / 'work_dirs' / f'{name}.pth'
        file.parent.mkdir(parents=True, exist_ok=True)
        save_teacher_of(file, config or 'sctnet_t_1xb4_600_streets_128x256')


def calibration_images(folder):
    """Write four images to measure activations on."""
    (folder / 'calibration_images').mkdir()
    for seed in range(4):
        image, _ = render_street_scene(seed, 128, 64)
        cv2.imwrite(str(folder / 'calibration_images' / f'{seed}.png'), image)


def training_batch():
    """Return the two names that a training step without a Runner is given."""
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    rng = np.random.default_rng(0)
    samples = []
    for _ in range(2):
        labels = torch.from_numpy(rng.integers(0, 19, (1, 64, 64)))
        sample = SegDataSample(metainfo={'img_shape': (64, 64)})
        samples.append(
            sample.set_data({'gt_sem_seg': PixelData(data=labels)}) or sample
        )
    return {'images': torch.randn(2, 3, 64, 64), 'data_samples': samples}
