import pytest
from support import SHORT_NAMES, original_keys, student_state

from sctnet.apis import init_model
from sctnet.weights.key_map import ORIGINAL_TO_PORT, port_name

DROPPED = ('teacher_backbone', 'teacher_head')


@pytest.mark.parametrize('config', SHORT_NAMES)
def test_every_original_key_is_mapped_or_dropped_by_name(config):
    mapped = {name: port_name(name) for name, _ in original_keys(config)}
    dropped = {name for name, new in mapped.items() if new is None}
    expected = {n for n in mapped if any(f'.1.{part}' in n for part in DROPPED)}
    assert dropped == expected
    kept = [new for new in mapped.values() if new is not None]
    assert len(kept) == len(set(kept))


def test_every_entry_of_the_map_is_used_by_the_original():
    names = [name for name, _ in original_keys('ade_s')]
    for old in ORIGINAL_TO_PORT:
        assert any(n == old or n.startswith(f'{old}.') for n in names), old


@pytest.mark.parametrize('config', ['ade_s', 'city_b_seg100'])
def test_mapped_keys_are_exactly_our_model_with_equal_shapes(config):
    own = init_model(SHORT_NAMES[config], device='cpu', backend='torch').state_dict()
    mapped = {port_name(k): v for k, v in student_state(config).items()}
    assert mapped.keys() == own.keys()
    assert all(mapped[key].shape == own[key].shape for key in own)


@pytest.mark.parametrize(
    'name',
    ['backbone.layer9.0.conv1.weight', 'neck.z', 'backbone.conv1', 'decode_header.y'],
)
def test_unknown_names_are_not_guessed(name):
    with pytest.raises(KeyError):
        port_name(name)
