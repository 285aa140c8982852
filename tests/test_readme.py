"""What the README promises is there and its Python runs."""

import re
import shutil

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
        assert (REPOSITORY / path).exists(), path


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


def test_inference_block_runs(tmp_path, monkeypatch, photo, released_city_s):
    (code,) = [block for block in blocks('python') if 'init_model' in block]
    shutil.copy(photo, tmp_path / 'street.png')
    shutil.copy(released_city_s, tmp_path / 'sctnet_s_seg50.pth')
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(code, names)
    assert names['labels'].shape == (80, 96)
    assert names['names'][:2] == ('road', 'sidewalk')


@pytest.mark.parametrize('command', re.findall(r'^make (\w+)', README, re.MULTILINE))
def test_make_targets_exist(command):
    makefile = (REPOSITORY / 'Makefile').read_text()
    assert re.search(rf'^{command}:', makefile, re.MULTILINE)
