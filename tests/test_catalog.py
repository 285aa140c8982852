import pytest
from mmengine.config import Config
from support import REPOSITORY, SEG50, SHORT_NAMES

from sctnet.catalog import find_config, load_config, merge_options
from sctnet.errors import ConfigError


@pytest.mark.parametrize(
    'name',
    [SEG50, f'{SEG50}.py', 'sctnet-s-seg50', REPOSITORY / f'configs/sctnet/{SEG50}.py'],
)
def test_config_by_every_kind_of_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(name).stem == SEG50
    assert load_config(name).num_classes == 19


def test_short_names_reach_different_configs():
    assert len({find_config(name) for name in SHORT_NAMES.values()}) == 8


@pytest.mark.parametrize('scope', [1, None, '', 'mm seg'])
def test_a_scope_that_is_none_is_refused(scope):
    with pytest.raises(
        ConfigError, match=rf'default_scope is {scope!r}: set it to mms'
    ):
        merge_options(load_config('sctnet-s-seg50'), {'default_scope': scope})


@pytest.mark.parametrize(
    ('wrong', 'nearest'),
    [
        ('sctnet-s-sge50', 'sctnet-s-seg50'),
        ('sctnet-b-coc', 'sctnet-b-coco'),
        ('SCTNET-S-SEG50', 'sctnet-s-seg50'),
        ('sctnet-s-seg5', 'sctnet-s-seg50'),
        (f'somewhere/{SEG50[:-1]}.py', SEG50),
        (f'nowhere/{SEG50}.py', SEG50),  # a mistyped path is not our config
    ],
)
def test_unknown_name_suggests_the_nearest(wrong, nearest):
    with pytest.raises(ConfigError, match=f"did you mean '{nearest}'") as caught:
        load_config(wrong)
    assert '\n' not in str(caught.value)


def test_name_that_is_near_nothing_gets_no_guess():
    with pytest.raises(ConfigError, match='mim search sctnet') as caught:
        load_config('unet.py')
    assert 'did you mean' not in str(caught.value)


def test_config_objects_are_taken_as_they_are_and_others_refused():
    cfg = Config({'a': 1})
    assert load_config(cfg) is cfg
    with pytest.raises(ConfigError, match='config is a int'):
        load_config(3)


def test_broken_config_file_is_one_sentence(tmp_path):
    (tmp_path / 'broken.py').write_text('model = dict(\n')
    with pytest.raises(ConfigError, match=r"broken\.py' cannot be read \(SyntaxError"):
        load_config(tmp_path / 'broken.py')


def test_copy_of_an_editable_install_leads_back_to_the_checkout(tmp_path, monkeypatch):
    """mim finds the copy in site-packages, which is as old as the installation."""
    copy = tmp_path / 'sctnet' / 'configs' / 'sctnet' / f'{SEG50}.py'
    copy.parent.mkdir(parents=True)
    copy.write_text('stale = True')
    monkeypatch.setattr('sysconfig.get_path', lambda name: str(tmp_path))
    assert find_config(copy) == REPOSITORY / 'configs' / 'sctnet' / f'{SEG50}.py'
