import pytest

from sctnet.errors import ConfigError
from sctnet.models.loss_schedule import LossSchedule


@pytest.mark.parametrize(
    ('kind', 'expected'),
    [
        ('constant', [1, 1, 1, 1, 1]),
        ('linear', [1, 1, 0.5, 0, 0]),
        ('cosine', [1, 1, 0.5, 0, 0]),
    ],
)
def test_factor_is_one_until_begin_and_zero_from_end(kind, expected):
    schedule = LossSchedule(kind, begin=100, end=300)
    factors = [schedule.factor(i, 1000) for i in (0, 100, 200, 300, 900)]
    assert factors == pytest.approx(expected)


def test_end_is_the_end_of_the_training_by_default():
    assert LossSchedule('linear').factor(30, 40) == pytest.approx(0.25)
    assert LossSchedule('cosine').factor(10, 40) == pytest.approx(0.8535533906)


def test_impossible_schedules_are_errors():
    with pytest.raises(ConfigError, match="no loss schedule 'fast'"):
        LossSchedule('fast')
    with pytest.raises(ConfigError, match='let end come after begin'):
        LossSchedule('linear', begin=5, end=5)
