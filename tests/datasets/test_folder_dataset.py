"""A folder's data set: its pairs, by names as people have them."""

import unicodedata
from pathlib import Path

import pytest
from mmseg.registry import DATASETS
from own_folder import (
    dataset_config,
    image_path,
    label_path,
    write_config,
    write_own_data,
)

from sctnet.catalog import load_config
from sctnet.datasets.check import check_config, quick_check
from sctnet.engine.preflight import check_data
from sctnet.errors import DataError


def dataset(root, part='train', **more):
    return DATASETS.build(dataset_config(root, part, **more))


def test_images_of_all_formats_and_sub_folders_find_their_label_maps(tmp_path):
    root = write_own_data(tmp_path, train=2, val=1)
    for kind, suffix in (('images', '.JPG'), ('labels', '.png')):
        source = (root / kind / 'train').glob('*0.png')
        target = root / kind / 'train' / 'deep' / f'photo.v2{suffix}'
        target.parent.mkdir()
        next(source).rename(target)
    (root / 'images' / 'train' / '.hidden.png').write_text('')
    (root / 'images' / 'train' / 'notes.txt').write_text('')
    found = [dataset(root).get_data_info(i) for i in range(2)]
    assert [info['img_path'] for info in found] == [
        str(root / 'images/train/deep/photo.v2.JPG'),
        str(root / 'images/train/train1.png'),
    ]
    assert found[0]['seg_map_path'] == str(root / 'labels/train/deep/photo.v2.png')
    assert found[1]['reduce_zero_label'] is False


def test_what_makes_no_pairs_is_one_sentence(tmp_path):
    root = write_own_data(tmp_path, train=3, val=1)
    label_path(root, 'train', 1).unlink()
    with pytest.raises(DataError, match=r'1 of 3 .*train1\.png.*looked for .*labels'):
        len(dataset(root))
    twin = image_path(root, 'val', 0, '.jpg')
    twin.write_bytes(b'')
    with pytest.raises(DataError, match=r"val0\.jpg' and .*val0\.png.* share one"):
        len(dataset(root, 'val'))
    (root / 'images' / 'none').mkdir()
    with pytest.raises(DataError, match='has no image'):
        len(dataset(root, 'none'))


def test_a_list_names_the_images_and_what_it_lacks_is_said(tmp_path):
    root = write_own_data(tmp_path, train=3, val=1)
    (root / 'some.txt').write_text('train2\ntrain0\n')
    data = dataset(root, ann_file='some.txt')
    names = [Path(data.get_data_info(i)['img_path']).name for i in range(len(data))]
    assert names == ['train2.png', 'train0.png']
    (root / 'some.txt').write_text('train7\n')
    with pytest.raises(DataError, match=r"lists 1 images that are not .* 'train7'"):
        len(dataset(root, ann_file='some.txt'))
    with pytest.raises(DataError, match='cannot be read'):
        len(dataset(root, ann_file='none.txt'))
    label_path(root, 'val', 0).rename(root / 'labels/val/val0_mask.png')
    info = dataset(root, 'val', seg_map_suffix='_mask.png').get_data_info(0)
    assert info['seg_map_path'].endswith('val0_mask.png')


def renamed(root, kind, name):
    """Rename the files of the training part."""
    for path in list((root / kind / 'train').iterdir()):
        path.rename(path.with_name(name(path.stem)))


def names_of(data):
    infos = (data.get_data_info(i) for i in range(len(data)))
    paths = ((info['img_path'], info['seg_map_path']) for info in infos)
    return [(Path(image).name, Path(labels).name) for image, labels in paths]


def test_missing_folders_are_named_before_a_training(tmp_path):
    root = write_own_data(tmp_path / 'rooms', train=1, val=1, suffix='.JPG')
    cfg = load_config(write_config(tmp_path / 'a.py', root))
    check_data(cfg, ['train_dataloader'])
    cfg.train_dataloader.dataset.ann_file = 's3://rooms/list.txt'
    check_data(cfg, ['train_dataloader'])
    cfg = load_config(write_config(tmp_path / 'b.py', tmp_path / 'none'))
    with pytest.raises(DataError, match=r"none' has no folder 'images/train'"):
        check_data(cfg, ['train_dataloader'])


@pytest.mark.parametrize('suffix', ['_sat.png', '_leftImg8bit.PNG'])
def test_an_images_suffix_is_replaced_by_the_label_maps(suffix, tmp_path):
    root = write_own_data(tmp_path, train=2)
    renamed(root, 'images', lambda stem: stem + suffix)
    renamed(root, 'labels', lambda stem: f'{stem}_mask.png')
    suffixes = {'img_suffix': ('.png', suffix), 'seg_map_suffix': '_mask.png'}
    data = dataset(root, **suffixes)
    assert names_of(data) == [
        (f'train{i}{suffix}', f'train{i}_mask.png') for i in range(2)
    ]
    (root / 'some.txt').write_text('train1\n')  # without the suffix, as mmseg's
    data = dataset(root, ann_file='some.txt', **suffixes)
    assert names_of(data) == [(f'train1{suffix}', 'train1_mask.png')]


def test_one_folder_may_hold_images_and_label_maps(tmp_path):
    root = write_own_data(tmp_path, train=2, suffix='.jpg')
    for path in list((root / 'labels/train').iterdir()):
        path.rename(root / 'images/train' / path.name)
    both = {'img_path': 'images/train', 'seg_map_path': 'images/train'}
    data = dataset(root, data_prefix=both, img_suffix='.jpg')
    assert names_of(data) == [
        ('train0.jpg', 'train0.png'),
        ('train1.jpg', 'train1.png'),
    ]


@pytest.mark.parametrize('forms', [('NFC', 'NFD'), ('NFD', 'NFC')])
def test_case_of_a_suffix_and_unicode_forms_do_not_matter(forms, tmp_path):
    root = write_own_data(tmp_path, train=2)
    ours, theirs = (unicodedata.normalize(form, 'é') for form in forms)
    renamed(root, 'images', lambda stem: f'{ours}{stem}.png')
    renamed(root, 'labels', lambda stem: f'{theirs}{stem}.PNG')
    pairs = [(f'{ours}train{i}.png', f'{theirs}train{i}.PNG') for i in range(2)]
    assert names_of(dataset(root)) == pairs
    # As Windows' editor writes it, of names from a Mac.
    listed = f'\ufeff{theirs}train1\r\n'.encode()
    (root / 'some.txt').write_bytes(listed)
    assert names_of(dataset(root, ann_file='some.txt')) == pairs[1:]
    # The very suffix goes before.
    same = root / 'labels/train' / f'{theirs}train0.png'
    same.write_bytes(b'')
    assert names_of(dataset(root))[0] == (pairs[0][0], same.name)
    assert names_of(dataset(root, seg_map_suffix='.PNG')) == pairs


@pytest.mark.parametrize('name', ['{}_mask.png', 'gt_{}.png', 'K{}.png'])
def test_a_label_map_of_another_name_is_named(name, tmp_path):
    root = write_own_data(tmp_path / 'rooms', train=2)
    renamed(root, 'images', lambda stem: f'k{stem}.png')
    renamed(
        root, 'labels', lambda stem: name.format(stem if 'K' in name else f'k{stem}')
    )
    first = (
        f"looked for '.*ktrain0.png' and found '.*{name.format('k?train0')}': name it"
    )
    with pytest.raises(DataError, match=first):
        dataset(root)
    faults = check_config(load_config(write_config(tmp_path / 'c.py', root))).faults
    (missing, _) = (f.detail for f in faults if f.kind == 'missing label map')
    assert 'or set img_suffix and seg_map_suffix' in missing


def test_a_label_map_that_another_image_has_is_not_offered(tmp_path):
    root = write_own_data(tmp_path, train=2)
    image_path(root, 'train', 0).rename(root / 'images/train/train1_sat.png')
    label_path(root, 'train', 0).unlink()
    with pytest.raises(DataError, match=r"labels/train/train1_sat\.png'\): add"):
        dataset(root)


def test_two_lists_share_one_folder(tmp_path):
    root = write_own_data(tmp_path / 'rooms', train=4)
    (root / 'train.txt').write_text('train0\ntrain1\ntrain2\n')
    (root / 'val.txt').write_text('train3\n')
    cfg = load_config(write_config(tmp_path / 'mine.py', root))
    whole = {'img_path': 'images/train', 'seg_map_path': 'labels/train'}
    for part in ('train', 'val'):
        cfg[f'{part}_dataloader'].dataset.update(
            data_prefix=whole, ann_file=f'{part}.txt'
        )
    check_data(cfg, ['train_dataloader', 'val_dataloader'])
    quick_check(cfg)
    result = check_config(cfg)
    assert [len(part.pairs) for part in result.parts] == [3, 1]
    assert not result.faults
    built = DATASETS.build(cfg.val_dataloader.dataset)
    assert names_of(built) == [('train3.png', 'train3.png')]
