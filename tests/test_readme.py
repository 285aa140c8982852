"""What the README promises is there; tests/docs/ runs its other blocks."""

import re

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
        file = file or 'README.md'
        assert (REPOSITORY / file).exists(), path
        if section:
            headings = re.findall(r'(?m)^#+ (.+)$', (REPOSITORY / file).read_text())
            words = [re.sub(r'[^\w -]', '', h.lower()) for h in headings]
            assert section in [h.replace(' ', '-') for h in words], path


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
