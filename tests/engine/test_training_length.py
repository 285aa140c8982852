"""A config counts iterations or epochs, and all of it the same."""

import pytest
from mmengine.config import ConfigDict

from sctnet.catalog import load_config, merge_options
from sctnet.engine.check_names import check_names
from sctnet.engine.training_length import check_counting, settle_length
from sctnet.errors import ConfigError


def settled(leaf='sctnet-t-streets', train_cfg=None, **options):
    cfg = load_config(leaf)
    if train_cfg is not None:
        cfg.train_cfg = ConfigDict(train_cfg)
    options = {key.replace('__', '.'): value for key, value in options.items()}
    merge_options(cfg, options)
    settle_length(cfg, options)
    check_names(cfg)
    return cfg


def said(cfg):
    hook = cfg.default_hooks.checkpoint
    return (
        dict(cfg.train_cfg),
        (hook.by_epoch, hook.interval),
        cfg.log_processor.by_epoch,
    )


EPOCHS = {'type': 'ResumableEpochTrainLoop', 'max_epochs': 50, 'val_interval': 1}


@pytest.mark.parametrize(
    'options',
    [{}, {'train_cfg__max_iters': None}, {'train_cfg__type': 'IterBasedTrainLoop'}],
)
def test_one_option_makes_epochs_of_a_recipe(capsys, options):
    cfg = settled(train_cfg__max_epochs=50, **options)
    assert said(cfg) == (EPOCHS, (True, 1), True)
    assert 'counts epochs now, with train_cfg.val_interval=1' in capsys.readouterr().out
    check_counting(cfg)
    assert "type='ResumableEpochTrainLoop'" in cfg.pretty_text


def test_what_other_options_say_stays():
    cfg = settled(
        train_cfg__max_epochs=50,
        train_cfg__val_interval=5,
        train_cfg__val_begin=10,
        default_hooks__checkpoint__by_epoch=False,
        log_processor__by_epoch=False,
    )
    assert said(cfg) == (
        {**EPOCHS, 'val_interval': 5, 'val_begin': 10},
        (False, 200),
        False,
    )
    check_counting(cfg)  # checkpoints inside an epoch


def test_one_option_makes_iterations_of_epochs():
    cfg = settled(train_cfg=EPOCHS, train_cfg__max_iters=400)
    loop = {'type': 'ResumableTrainLoop', 'max_iters': 400, 'val_interval': 40}
    assert said(cfg) == (loop, (False, 40), False)
    check_counting(cfg)


@pytest.mark.parametrize('kind', ['ResumableTrainLoop', 'ResumableEpochTrainLoop'])
def test_in_a_file_the_key_decides_the_loop(kind):
    cfg = settled(train_cfg={**EPOCHS, 'type': kind})
    assert cfg.train_cfg == EPOCHS
    assert cfg.default_hooks.checkpoint.interval == 200  # as the file says


@pytest.mark.parametrize(
    ('train_cfg', 'options'),
    [
        ({**EPOCHS, 'max_iters': 9}, {}),
        (None, {'train_cfg__max_epochs': 50, 'train_cfg__max_iters': 9}),
    ],
)
def test_two_lengths_are_refused(train_cfg, options):
    with pytest.raises(ConfigError, match=r'max_iters=9 and max_epochs=50, and a'):
        settled(train_cfg=train_cfg, **options)


@pytest.mark.parametrize(
    'place',
    [
        'default_hooks.checkpoint.by_epoch',
        'default_hooks.logger.log_metric_by_epoch',
        'log_processor.by_epoch',
    ],
)
def test_what_counts_epochs_in_a_training_of_iterations_is_refused(place):
    cfg = settled()
    check_counting(cfg)
    merge_options(cfg, {place: True})
    with pytest.raises(ConfigError, match=f'^{place} counts epochs'):
        check_counting(cfg)


def test_a_length_that_is_no_number_is_told_by_its_place():
    with pytest.raises(ConfigError, match=r"train_cfg\.max_epochs is 'x': set it"):
        settled(train_cfg__max_epochs='x')
