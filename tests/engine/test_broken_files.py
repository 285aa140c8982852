"""Broken files are counted once each, whatever wraps the data set; too many stop."""

import logging
from types import SimpleNamespace

import pytest
from mmengine.structures import BaseDataElement
from own_folder import CLASSES, write_own_data

from sctnet.datasets.folder_dataset import FolderDataset
from sctnet.engine.broken_files import BrokenFiles
from sctnet.engine.seeded_dataset import SeededDataset
from sctnet.errors import ConfigError, DataError


def batch(*skipped):
    sample = BaseDataElement()
    if skipped:
        sample.set_metainfo({'skipped_files': [(path, 'cut') for path in skipped]})
    return {'data_samples': [BaseDataElement(), sample]}


def count(data, max_share):
    loader = SimpleNamespace(dataset=data)
    logger = logging.getLogger('broken')
    return BrokenFiles(
        SimpleNamespace(logger=logger, train_dataloader=loader), max_share
    )


def test_samples_of_several_views_are_looked_at_too(caplog):
    samples = [[sample] for sample in batch('a')['data_samples']]
    count(range(100), 0.02).look_at({'data_samples': samples})
    assert "'a' (cut), 1 of 100" in caplog.records[0].message


def test_each_file_is_logged_once_and_too_many_stop_the_run(caplog):
    counter = count(range(100), 0.02)
    for skipped in ((), ('a',), ('a', 'b')):
        counter.look_at(batch(*skipped))
    said = [record.message for record in caplog.records]
    assert len(said) == 2
    assert "'a' (cut), 1 of 100" in said[0]
    assert "'b' (cut), 2 of 100" in said[1]
    counter.summarise()
    assert '2 broken files were skipped: a, b' in caplog.records[-1].message
    with pytest.raises(DataError, match=r"3 of 100 .*'c'.*max_broken_share=0\.02"):
        counter.look_at(batch('c'))


@pytest.mark.parametrize(
    ('wrap', 'total'),
    [
        (lambda one, other: one, 4),
        (lambda one, other: {'type': 'RepeatDataset', 'dataset': one, 'times': 5}, 4),
        (lambda one, other: {'type': 'ConcatDataset', 'datasets': [one, other]}, 8),
        (lambda one, other: {'type': 'ConcatDataset', 'datasets': [one, one]}, 4),
    ],
    ids=['plain', 'repeated', 'joined', 'twice'],
)
def test_wrapped_data_sets_count_each_file_once(tmp_path, caplog, wrap, total):
    root = write_own_data(tmp_path, train=4)
    data = wrap(
        *(
            FolderDataset(
                data_root=str(root),
                data_prefix={
                    'img_path': 'images/train',
                    'seg_map_path': 'labels/train',
                },
                metainfo={'classes': CLASSES},
            )
            for _ in range(2)
        )
    )
    count(SeededDataset(data), 0.5).look_at(batch('a'))
    assert f"'a' (cut), 1 of {total} so far" in caplog.records[0].message


@pytest.mark.parametrize('share', [-0.1, 1.1, '5 %', None, True])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ConfigError, match='max_broken_share'):
        count(range(100), share)
