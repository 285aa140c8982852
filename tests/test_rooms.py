"""The floor plan: which room may import which, and how many there are."""

import ast
import textwrap

from support import REPOSITORY

PACKAGE = REPOSITORY / 'sctnet'
# From the roof to the ground; a room imports itself and what stands below it.
FLOORS = (
    {'cli', '__main__'},
    {'benchmark', 'streams', 'evaluation'},
    {'apis'},
    {'deploy', 'engine'},
    {'models'},
    {'prediction'},
    {'catalog'},
    {'weights', 'datasets'},
    {'compat', 'errors', 'files'},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Training knows nothing of deployment, though both stand on one floor.
STRANGERS = {'engine': {'deploy'}, 'deploy': {'engine'}, 'weights': {'datasets'}}
# It fills the registries from all rooms, and the package's root is every room's.
EXEMPT = {'register', '__init__'}


def imports(text, package):
    """Yield room and line of each import of sctnet's, inside functions too.

    ``package`` holds the folders, below ``sctnet``, of the file with this ``text``.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first, _, rest = alias.name.partition('.')
                if first == 'sctnet' and rest:
                    yield rest.partition('.')[0], node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
            elif (node.module or '').partition('.')[0] == 'sctnet':
                base = ()
            else:
                continue
            module = (node.module or '').removeprefix('sctnet').strip('.')
            parts = (*base, *module.split('.')) if module else base
            for alias in node.names:
                yield (parts or (alias.name,))[0], node.lineno


def is_wrong(room, other):
    if other in (room, '__version__'):
        return False
    return FLOOR[other] < FLOOR[room] or other in STRANGERS.get(room, ())


def test_arrows_go_down_only():
    wrong = []
    for path in sorted(PACKAGE.rglob('*.py')):
        place = path.relative_to(PACKAGE).with_suffix('').parts
        if place[0] in (*EXEMPT, 'configs', '.mim'):
            continue
        for other, line in imports(path.read_text(encoding='utf-8'), place[:-1]):
            if is_wrong(place[0], other):
                wrong.append(f'{path.relative_to(REPOSITORY)}:{line} imports {other}')
    assert not wrong, '\n'.join(wrong)


def test_an_arrow_up_is_seen_however_it_is_written():
    text = """
        from ..deploy import export
        from .. import cli, errors
        from sctnet.apis import init_model
        import sctnet.benchmark.runs
        def f():
            from ..models.siam import SIAM
        from . import launch
    """
    found = {room for room, _ in imports(textwrap.dedent(text), ('engine',))}
    wrong = {room for room in found if is_wrong('engine', room)}
    assert wrong == {'deploy', 'cli', 'apis', 'benchmark'}
    assert found - wrong == {'errors', 'models', 'engine'}


def test_a_newcomer_sees_at_most_18_entries():
    seen = [p for p in PACKAGE.iterdir() if p.name not in ('__pycache__', 'configs')]
    assert len(seen) <= 18, sorted(path.name for path in seen)


def test_files_are_short_and_begin_by_saying_what_they_are_for():
    for path in sorted(PACKAGE.rglob('*.py')):
        text = path.read_text(encoding='utf-8')
        where = str(path.relative_to(REPOSITORY))
        assert len(text.splitlines()) <= 250, where
        assert ast.get_docstring(ast.parse(text)), where
