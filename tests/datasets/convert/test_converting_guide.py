"""Every command of docs/converting.md, as it stands there, on generated data."""

import json
import re
import shlex
import shutil

import archive_sources as archives
import pytest
from conversion_sources import (
    LARGE,
    SMALL,
    city_json,
    coco_json,
    corners,
    expected,
    labelme_json,
    made,
    outline,
    picture,
)  # fmt: skip
from PIL import Image
from support import REPOSITORY
from tool_process import start

PAGE = (REPOSITORY / 'docs/converting.md').read_text()


def blocks(language):
    return re.findall(rf'^```{language}\n(.*?)^```', PAGE, re.DOTALL | re.MULTILINE)


COMMANDS = [
    line for block in blocks('bash') for line in block.replace('\\\n', ' ').splitlines()
]


def write_sources(root):
    """What the page's commands read, under the names that it gives."""
    for number in range(3):
        picture(root / f'rooms_coco/images/{number}.jpg', number)
        picture(root / f'rooms_colours/images/{number}.jpg', number)
        name = f'rooms_labelme/{number}'
        picture(root / f'{name}.jpg', number)
        shapes = [
            ('door', 'polygon', corners(SMALL)),
            ('wall', 'line', [[1, 2], [3, 4]]),
        ]
        labelme_json(root / f'{name}.json', shapes, f'{number}.jpg')
        mask = Image.fromarray(expected((LARGE, 1)), 'P')
        mask.putpalette([0, 0, 0, 9, 9, 9])
        target = root / f'rooms_colours/masks/{number}.png'
        target.parent.mkdir(parents=True, exist_ok=True)
        mask.save(target)
    (root / 'rooms_colours/colours.txt').write_text('floor,0,0,0\nwall,9,9,9\n')
    rows = [(0, 3, [outline(LARGE)]), (1, 7, [outline(SMALL)])]
    coco_json(root / 'rooms_coco/train.json', rows, ('0.jpg', '1.jpg'))
    coco_json(root / 'rooms_coco/val.json', [(0, 3, [outline(LARGE)])], ('2.jpg',))
    for part in ('train', 'val'):
        city = f'{part}/x/x_000000_000019'
        picture(root / f'my_city/leftImg8bit/{city}_leftImg8bit.png')
        polygons = root / f'my_city/gtFine/{city}_gtFine_polygons.json'
        polygons.parent.mkdir(parents=True)
        polygons.write_text(city_json([('road', LARGE)]))
        voc = root / 'VOCdevkit/VOC2012'
        picture(voc / f'JPEGImages/{part}.jpg')
        for folder in ('SegmentationClass', 'ImageSets/Segmentation'):
            (voc / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(expected((LARGE, 1))).save(
            voc / f'SegmentationClass/{part}.png'
        )
        (voc / f'ImageSets/Segmentation/{part}.txt').write_text(part)
    archives.ade(root / 'ADEChallengeData2016.zip')
    archives.coco_stuff(root / 'cocostuff-10k-v1.1.zip')
    archives.cityscapes(root)


@pytest.fixture(scope='module')
def sources(tmp_path_factory):
    root = tmp_path_factory.mktemp('page')
    write_sources(root)
    return root


@pytest.fixture
def place(sources, tmp_path):
    return shutil.copytree(sources, tmp_path / 'place')


@pytest.mark.parametrize('command', COMMANDS)
def test_a_command_of_the_page_does_what_it_says(place, command):
    python, tool, *words = shlex.split(command)
    assert python == 'python'
    before = {path: path.read_bytes() for path in place.rglob('*') if path.is_file()}
    done = start(tool.removeprefix('tools/'), *words, cwd=place)
    assert done.returncode == 0, done.stderr
    assert (
        before.items()
        <= {
            path: path.read_bytes() for path in place.rglob('*') if path.is_file()
        }.items()
    )
    assert '0 broken' in done.stdout or '0 are broken' in done.stdout
    if tool == 'tools/convert_dataset.py':
        out = place / words[2]
        names = {}
        exec('own_data' + done.stdout.split('own_data')[-1], names)  # our own text
        summary = json.loads((out / 'dataset.json').read_text())
        assert names['own_data']['root'] == words[2]
        assert list(names['own_data']['classes']) == summary['classes']
        assert sum(summary['images'].values()) == len(made(out / 'labels')) >= 2
        assert summary['images']['val'] >= 1
    else:
        assert len(made(place / 'data')) >= 4


def test_the_page_has_all_formats_and_data_sets():
    from sctnet.datasets.convert.formats import FORMATS
    from sctnet.datasets.prepare.published import DATASETS

    shown = {command.split()[2] for command in COMMANDS}
    assert shown == {*FORMATS, *DATASETS}


def test_the_python_of_the_page_runs(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    (code,) = blocks('python')
    exec(code, {'__name__': 'page'})  # our own text
    assert "('background', 'floor', 'wall')" in capsys.readouterr().out
