"""What the README promises is there; tests/docs/ runs its other blocks."""

import re
import subprocess
import sys

import cv2
import numpy as np
import pytest
import yaml
from support import REPOSITORY

README = (REPOSITORY / 'README.md').read_text(encoding='utf-8')


def blocks(language):
    return re.findall(rf'```{language}\n(.*?)```', README, re.DOTALL)


def test_links_pictures_and_tools_exist():
    links = re.findall(r'\]\(((?!https?:)[^)]+)\)', README)
    tools = re.findall(r'\btools/\w+\.(?:py|sh)', README)
    assert links
    assert len(set(tools)) >= 8
    for path in (*links, *tools):
        file, _, section = path.partition('#')
        assert (REPOSITORY / file).exists(), path
        if section:
            headings = re.findall(r'(?m)^#+ (.+)$', (REPOSITORY / file).read_text())
            assert section in [h.lower().replace(' ', '-') for h in headings], path


def test_table_of_models_says_what_the_model_index_says():
    metafile = REPOSITORY / 'configs' / 'sctnet' / 'metafile.yml'
    expected = {
        (
            model['Alias'][0],
            model['Name'],
            f'{model["Metadata"]["Parameters (M)"]:.2f} M',
            f'{model["Results"][0]["Metrics"]["mIoU"]:.2f}',
            f'{model["Metadata"]["FPS on RTX 3090"]:.1f}',
        )
        for model in yaml.safe_load(metafile.read_text())['Models']
        if 'Results' in model
    }
    row = r'\| `(sctnet-\S+)` \| `(\S+)` \| [^|]+ \| ([^|]+) \| ([\d.]+) \| ([\d.]+) \|'
    assert set(re.findall(row, README)) == expected


@pytest.mark.slow
def test_configs_for_own_data_train_a_teacher_and_its_student(tmp_path):
    (student,) = [block for block in blocks('python') if 'rooms' in block]
    leaf = 'segformer.segformer_b2_8xb1_160k_cityscapes_1024x1024'
    assert leaf in README
    lines = student.splitlines()[:-2]
    teacher = re.sub(r'sctnet\.sctnet_s\w+ import', f'{leaf} import', '\n'.join(lines))
    (tmp_path / 'my_student.py').write_text(student)
    (tmp_path / 'my_teacher.py').write_text(teacher)
    write_rooms(tmp_path / 'data' / 'rooms')
    loaders = [f'{part}_dataloader' for part in ('train', 'val', 'test')]
    options = [
        *(f'{loader}.num_workers=0' for loader in loaders),
        *(f'{loader}.persistent_workers=False' for loader in loaders),
        'train_dataloader.dataset.pipeline.2.scale=(96,80)',
        'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
        'val_dataloader.dataset.pipeline.1.scale=(96,80)',
        *('model.data_preprocessor.size=(64,64)', 'train_dataloader.batch_size=2'),
        *('train_cfg.max_iters=2', 'train_cfg.val_interval=2'),
        'default_hooks.checkpoint.interval=2',
    ]
    train = [sys.executable, '-W', 'ignore', str(REPOSITORY / 'tools' / 'train.py')]
    for command in (
        ['my_teacher.py'],
        ['my_student.py', '--teacher', 'work_dirs/my_teacher'],
    ):
        done = subprocess.run(
            [*train, *command, '--cfg-options', *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    log = done.stdout + done.stderr
    assert '0 floor, 1 wall, 2 door' in log
    assert 'the teacher reaches' in log
    assert 'siam.loss_sdha_logits' in log
    assert list((tmp_path / 'work_dirs' / 'my_student').glob('best_mIoU*.pth'))


def write_rooms(root):
    """Four images and label maps of three classes, two of each part."""
    rng = np.random.default_rng(0)
    for part in ('train', 'val'):
        for kind in ('images', 'labels'):
            (root / kind / part).mkdir(parents=True)
        for number in range(2):
            image = rng.integers(0, 256, (80, 96, 3), np.uint8)
            labels = np.repeat(rng.integers(0, 3, (80, 1), np.uint8), 96, axis=1)
            cv2.imwrite(str(root / 'images' / part / f'{number}.jpg'), image)
            cv2.imwrite(str(root / 'labels' / part / f'{number}.png'), labels)
