"""``sctnet prepare store``: what it says before and after, and that it is so."""

import shlex

import pytest
from mmseg.registry import DATASETS
from own_folder import image_path, truncate, write_config, write_own_data

from sctnet.catalog import load_config, merge_options
from sctnet.cli import build_parser, main


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = write_own_data(tmp_path / 'rooms')
    write_config(tmp_path / 'mine.py', 'rooms')
    return root


def run(*words):
    with pytest.raises(SystemExit) as ended:
        main(['prepare', 'store', 'mine.py', *words])
    return ended.value.code


def test_it_says_the_size_then_how_to_use_it(rooms, capsys):
    assert not run('--parts', 'train', 'val', '--out', 'kept')
    said = capsys.readouterr().out
    assert said.startswith("6 images take 0.00 GB in 'kept', 0 are there; ")
    assert '6 images stored, 0 were there, 0 are broken' in said
    words = shlex.split(said[said.index('sctnet train') :])
    assert words[:4] == ['sctnet', 'train', 'mine.py', '--cfg-options']
    parser = build_parser('train')
    options = parser.parse_args(words[2:]).cfg_options
    cfg = load_config('mine.py')
    merge_options(cfg, options)
    (line,) = (line for line in said.splitlines() if ' faster_loader = dict(' in line)
    scope = {}
    exec(line.strip(), scope)
    assert scope['faster_loader'] == cfg.faster_loader.to_dict()
    for part in ('train', 'val'):
        dataset = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
        assert type(dataset.pipeline.transforms[0]).__name__ == 'LoadImageFromStore'
        assert dataset[0]['inputs'].ndim == 3
    assert not run('--out', 'my store')  # a space that --cfg-options would drop
    said = capsys.readouterr().out
    assert "faster_loader = dict(store='my store', crop_first=True)" in said
    assert 'sctnet train' not in said


def test_broken_files_are_said_at_status_one(rooms, capsys):
    truncate(image_path(rooms, 'train', 0))
    assert run('--data-root', 'rooms', '--workers', '0') == 1
    said = capsys.readouterr()
    assert "broken: 'rooms/images/train/train0.png' (" in said.err
    assert '3 images stored, 0 were there, 1 are broken' in said.out
    assert (
        'sctnet train mine.py --data-root rooms --cfg-options faster_load' in said.out
    )
    assert run('--workers', '0') == 1
    assert '0 images stored, 3 were there, 1 are broken' in capsys.readouterr().out


def test_published_data_sets_are_prepared_as_before():
    parser = build_parser('prepare')
    for words in (['--out', 'd', '--workers', '2', 'ade20k', 'a.zip'],
                  ['ade20k', 'a.zip', '--workers', '2', '--out', 'd']):  # fmt: skip
        args = parser.parse_args(words)
        assert (args.dataset, str(args.out), args.workers) == ('ade20k', 'd', 2)
        assert [str(path) for path in args.archives] == ['a.zip']
    assert parser.parse_args(['ade20k', 'a.zip']).out is None
