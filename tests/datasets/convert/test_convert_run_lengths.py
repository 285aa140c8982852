"""Run lengths of a CSV to label maps, in the forms of Kaggle's competitions."""

import numpy as np
import published_forms
import pytest
from conversion_sources import LARGE, SIZE, SMALL, expected, labels_of, picture
from published_forms import csv, runs

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.formats.run_lengths import decode_runs
from sctnet.datasets.convert.formats.run_lengths.csv_lines import find_csvs
from sctnet.errors import ArgumentError, DataError

same = np.testing.assert_array_equal


@pytest.fixture
def run(tmp_path):
    """Convert a CSV of these lines, beside images a to d."""

    def run(heading, lines, images='train/{}.jpg', out='out', **options):
        root = tmp_path / 'in'
        for seed, name in enumerate('abcd'):
            picture(root / images.format(name), seed)
        file = csv(root / 'train.csv', heading, lines)
        options = {'workers': 0, 'val': 0.0, **options}
        result = convert('run_lengths', file, tmp_path / out, **options)
        return result, tmp_path / out

    return run


def test_a_known_line_is_decoded_down_the_columns():
    # The example of a public discussion of Sartorius' evaluation, 8 rows of 6.
    mask = np.zeros((8, 6), bool)
    mask[2:7, 1:4] = mask[4:7, 4] = True
    same(decode_runs('11 5 19 5 27 5 37 3', (8, 6)), mask)
    same(decode_runs('11 5 19 5 27 5 37 3', (6, 8), by_rows=True), mask.T)


def test_runs_that_make_stripes_down_the_columns_are_asked_about(run):
    lines = [('a.jpg', runs(LARGE, by_rows=True))]
    heading, drawn = ['ImageId', 'EncodedPixels'], expected((LARGE, 1))
    with pytest.raises(ArgumentError, match='--row-major or --no-row-major'):
        run(heading, lines)
    same(labels_of(run(heading, lines, row_major=True)[1], 'a'), drawn)
    striped = labels_of(run(heading, lines, out='n', row_major=False)[1], 'a')
    assert (striped != drawn).any()


def test_ships_of_several_lines_and_images_without_any(tmp_path):
    labels = published_forms.airbus(tmp_path / 'in')
    result = convert('run_lengths', tmp_path / 'in', tmp_path / 'out', val=0.0)
    assert result.classes == ('background', 'object')
    for name, drawn in labels.items():
        same(labels_of(tmp_path / 'out', name), drawn)
    assert result.empty == ['00003e153', '0001124c7']
    assert result.skipped == {'images that no line names': 1}
    assert result.examples['images that no line names'].endswith('00002bd58.jpg')


@pytest.mark.parametrize(
    ('heading', 'lines', 'classes'),
    [
        # Severstal as of its end, and as of its beginning.
        (
            ('ImageId', 'ClassId', 'EncodedPixels'),
            [('a.jpg', '2', runs(LARGE)), ('a.jpg', '10', runs(SMALL))],
            ('background', 'class 2', 'class 10'),
        ),
        (
            ('ImageId_ClassId', 'EncodedPixels'),
            [('a.jpg_1', ''), ('a.jpg_2', runs(LARGE)), ('a.jpg_3', runs(SMALL))],
            ('background', 'class 1', 'class 2', 'class 3'),
        ),
        # Understanding Clouds.
        (
            ('Image_Label', 'EncodedPixels'),
            [('a.jpg_Fish', runs(LARGE)), ('a.jpg_Flower', ''),
             ('a.jpg_Gravel', runs(SMALL))],
            ('background', 'Fish', 'Flower', 'Gravel'),
        ),
        # HuBMAP + HPA; more columns are passed by.
        (
            ('id', 'organ', 'img_height', 'img_width', 'rle'),
            [('a', 'lung', '72', '96', runs(LARGE)), ('b', '', '72', '96', 'nan')],
            ('background', 'object'),
        ),
        # Carvana, HuBMAP's kidneys, SIIM's empty ones with a blank.
        (('img', 'rle_mask'), [('a.jpg', runs(LARGE))], ('background', 'object')),
        (('id', 'encoding'), [('a', runs(LARGE))], ('background', 'object')),
        (
            ('ImageId', ' EncodedPixels'),
            [('a', runs(LARGE)), ('b', ' -1')],
            ('background', 'object'),
        ),
    ],
)  # fmt: skip
def test_columns_are_those_of_the_competitions(run, heading, lines, classes):
    result, out = run(heading, lines)
    assert result.classes == classes
    assert not result.failed
    drawn = [(LARGE, classes.index('class 2') if 'class 2' in classes else 1)]
    if len(lines) > 1 and lines[-1][-1] == runs(SMALL):
        drawn.append((SMALL, len(classes) - 1))
    same(labels_of(out, 'a'), expected(*drawn))
    named = len({line[0][0] for line in lines})
    assert result.skipped == {'images that no line names': 4 - named}


def test_sartorius_runs_go_along_the_rows(run):
    lines = [('a', runs(LARGE, by_rows=True), 'shsy5y')]
    heading = ('id', 'annotation', 'cell_type')
    result, out = run(heading, lines, images='train/{}.png')
    assert result.classes == ('background', 'shsy5y')
    same(labels_of(out, 'a'), expected((LARGE, 1)))
    lines = [('a.png', runs(LARGE, by_rows=True))]
    heading = ('ImageId', 'EncodedPixels')
    _, out = run(heading, lines, 'train/{}.png', 'told', row_major=True)
    same(labels_of(out, 'a'), expected((LARGE, 1)))


@pytest.mark.parametrize('mark', [';', '\t'])
def test_cells_may_be_divided_by_other_marks(run, tmp_path, mark):
    result, _ = run([f'ImageId{mark}EncodedPixels'], [[f'a.jpg{mark}1 5']])
    assert result.pixels[1] == 5
    assert [file.name for file in find_csvs(tmp_path / 'in')] == ['train.csv']


def test_images_without_a_line_can_be_background(run, tmp_path):
    picture(tmp_path / 'in/test/e.jpg', 7)
    lines = [('a.jpg', runs(LARGE))]
    result, out = run(('ImageId', 'EncodedPixels'), lines, unlisted=True)
    assert result.empty == ['b', 'c', 'd']  # of that folder
    assert result.skipped == {'images that no line names': 1}
    assert not labels_of(out, 'b').any()
    lines.append(('b.jpg', ''))
    result, _ = run(('ImageId', 'EncodedPixels'), lines, out='less', skip_empty=True)
    assert result.skipped['images without annotation'] == 1


def test_masks_beside_the_images_are_no_images(run, tmp_path):
    # TGS salt: train/images and train/masks have the same names.
    picture(tmp_path / 'in/train/masks/a.png', 7)
    lines = [('a', runs(LARGE))]
    result, out = run(('id', 'rle_mask'), lines, images='train/images/{}.png')
    assert not result.failed
    assert labels_of(out, 'a').any()
    picture(tmp_path / 'in/train_hq/a.png', 7)
    with pytest.raises(DataError, match=r"line 2, names 'a', which '.*' and '"):
        run(('id', 'rle_mask'), lines, images='train/images/{}.png', out='other')


@pytest.mark.parametrize(
    ('cell', 'words'),
    [
        (f'{SIZE[0] * SIZE[1]} 2', 'line 3, has a run to 6913 and the image 6912 pix'),
        ('1 3 10', 'line 3, has 3 numbers: expected pairs'),
        ('10 5 1 3', 'line 3, has a run of 3 from 1 behind one that ends at 14'),
        ('10 5 12 3', 'behind one that ends at 14'),
        ('0 5', 'line 3, has a run of 5 from 0'),
        ('5 -2', 'line 3, has a run of -2'),
        ('1.5 2', "line 3, has runs that are no whole numbers ('1.5 2')"),
    ],
)
def test_a_broken_line_is_named_and_costs_no_other(run, cell, words):
    heading = ('ImageId', 'EncodedPixels')
    lines = [('a.jpg', runs(LARGE)), ('b.jpg', cell), ('z.jpg', '1 1')]
    result, out = run(heading, lines)
    assert len(result.failed) == 2
    assert any(words in sentence for sentence in result.failed)
    assert any("names 'z.jpg', which is no image" in one for one in result.failed)
    same(labels_of(out, 'a'), expected((LARGE, 1)))


@pytest.mark.parametrize(
    ('heading', 'lines', 'words'),
    [
        (('a', 'b'), [('1', '2')], "has the columns ['a', 'b']: expected an image's"),
        (('id', 'rle'), [('a',)], 'line 2, has 1 cells and the heading 2'),
        (('id', 'rle'), [('a', '')], 'the source has 1 classes'),
    ],
)
def test_a_csv_of_another_kind_is_refused(run, heading, lines, words):
    with pytest.raises(DataError) as caught:
        run(heading, lines)
    assert words in str(caught.value)


def test_a_cell_may_be_long(run):
    lines = [('a', runs(LARGE) + 200_000 * ' ')]
    _, out = run(('id', 'rle'), lines)
    same(labels_of(out, 'a'), expected((LARGE, 1)))


def test_an_image_of_another_size_is_refused(run):
    lines = [('a', '1', '500', '600', runs(LARGE)), ('b', '1', '72', '96', runs(SMALL))]
    # iMaterialist's columns.
    heading = ('ImageId', 'CategoryId', 'Height', 'Width', 'EncodedPixels')
    result, _ = run(heading, lines)
    assert len(result.failed) == 1
    assert 'the annotation is for 600x500 pixels' in result.failed[0]
