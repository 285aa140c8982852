"""What the README points to is there, and its table is the model index's."""

import re

import yaml
from support import REPOSITORY

README = (REPOSITORY / 'README.md').read_text(encoding='utf-8')


def test_links_and_pictures_exist():
    for link in re.findall(r'\]\(((?!https?:)[^)]+)\)', README):
        file, _, section = link.partition('#')
        target = REPOSITORY / (file or 'README.md')
        assert target.exists(), link
        if section:
            headings = re.findall(r'(?m)^#+ (.+)$', target.read_text(encoding='utf-8'))
            names = [re.sub(r'[^\w -]', '', h.lower()) for h in headings]
            assert section in [name.replace(' ', '-') for name in names], link


def test_table_of_models_says_what_the_model_index_says():
    metafile = REPOSITORY / 'configs' / 'sctnet' / 'metafile.yml'
    expected = {
        (
            model['Alias'][0],
            f'{model["Results"][0]["Metrics"]["mIoU"]:.2f}',
        )
        for model in yaml.safe_load(metafile.read_text())['Models']
        if 'Results' in model
    }
    row = r'\| `(sctnet-\S+)` \| [^|]+ \| ([\d.]+) \|'
    assert set(re.findall(row, README)) == expected
