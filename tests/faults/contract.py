"""What every case must keep, whatever it is given; see the functions for the rules."""

import contextlib
import io
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from written_files import hashes_of, leftovers

MEMORY = 2**30  # bytes that a case may take beyond what its process had
LEAST_WORDS = 4  # of a sentence that can help


@dataclass
class Place:
    """A case's folders: what it is given, and where it runs and writes."""

    inputs: Path
    outputs: Path

    def write(self, name: str, data: bytes | str) -> Path:
        """Put an input there."""
        data = data.encode('utf-8', 'surrogatepass') if isinstance(data, str) else data
        path = self.inputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


@dataclass
class Case:
    """One thing to try.

    ``tool``: the call is ``main`` with a command line; else it is the API and
    may raise ``SCTNetError`` alone. ``note`` says what was damaged. ``sound``: nothing
    was, and a refusal is a violation too. ``config``: values in a config were damaged,
    which a class alone can judge: its own error is no violation, but counted apart.
    """

    call: Callable[[], object]
    note: str
    tool: bool = False
    sound: bool = False
    config: bool = False


@dataclass
class Result:
    """How a case ended: ``accepted``, ``refused``, ``own error`` or ``violation``."""

    kind: str
    seed: int
    verdict: str
    note: str = ''
    said: str = ''
    violations: list[str] = field(default_factory=list)


def judge(kind: str, seed: int, case: Case, place: Place) -> Result:
    """Run ``case`` and hold it against the contract."""
    before = hashes_of(place.inputs)
    start = _reset_peak()
    verdict, said, violations = _run_tool(case) if case.tool else _run_call(case)
    grown = _peak() - start
    if grown > MEMORY:
        violations.append(f'took {grown / 2**20:.0f} MiB of memory')
    after = hashes_of(place.inputs)
    violations += [f'changed input {n}' for n in before if after.get(n) != before[n]]
    violations += list(leftovers([place.inputs, place.outputs], before))
    if case.config and not case.sound and _in_what_is_built(said):
        verdict, violations = 'own error', violations[1:]
    if case.sound and verdict == 'refused':
        violations.append('refused what is sound')
    if violations:
        verdict = 'violation'
    return Result(kind, seed, verdict, case.note, said, violations)


def _run_call(case: Case) -> tuple[str, str, list[str]]:
    from sctnet.errors import SCTNetError

    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            case.call()
    except SCTNetError as error:
        return 'refused', str(error), list(_sentence(str(error)))
    except BaseException:
        return 'refused', traceback.format_exc(), [f'raised {_last_line()}']
    return 'accepted', '', []


def _run_tool(case: Case) -> tuple[str, str, list[str]]:
    """Exit status 0, 1 (an image was skipped) or 2 with one ``error:`` line."""
    # As a terminal has them: what it cannot show raises, but for errors.
    out = io.TextIOWrapper(io.BytesIO(), 'utf-8', write_through=True)
    errors = io.TextIOWrapper(
        io.BytesIO(), 'utf-8', 'backslashreplace', write_through=True
    )
    status: object = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            case.call()
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        text = traceback.format_exc()
        return 'refused', text, [f'traceback of a tool: {_last_line()}']
    said, told = (x.buffer.getvalue().decode() for x in (errors, out))
    violations = []
    if 'Traceback (most recent' in said + told:
        violations.append('a traceback was printed')
    if status == 2:
        lines = [x for x in said.splitlines() if re.match(r'([\w. -]+: )?error: ', x)]
        if len(lines) != 1:
            violations.append(f'{len(lines)} error lines')
        text = said[said.find('error: ') + 7 :].rstrip('\n')
        usage = 'usage: ' in said
        violations += [] if usage else _sentence(text)
        return 'refused', said, violations
    if status not in (0, 1):
        violations.append(f'exit status {status!r}')
    return 'accepted', said, violations


def _sentence(text: str) -> Iterator[str]:
    # A word of the user's may hold a line break; ours may not.
    if len(text.strip().splitlines()) > 1:
        yield 'message of several lines'
    if len(text.split()) < LEAST_WORDS:
        yield 'message without a sentence'


def _in_what_is_built(text: str) -> bool:
    """Whether ``text`` is a traceback of what a config's check has let pass."""
    places = r'mmengine/runner/runner\.py|engine/build_model\.py'
    found = text.startswith('Traceback') and re.search(places, text)
    return bool(found) and 'check_names.py' not in text


def _last_line() -> str:
    kind, value, tb = sys.exc_info()
    last = traceback.extract_tb(tb)[-1]
    first = str(value).strip().partition('\n')[0][:160]
    return f'{kind.__name__}: {first} ({Path(last.filename).name}:{last.lineno})'


def _reset_peak() -> int:
    """Start counting the process's peak anew; return what it holds now, in bytes."""
    with contextlib.suppress(OSError):
        Path('/proc/self/clear_refs').write_text('5')
    return _status('VmRSS')


def _peak() -> int:
    return _status('VmHWM')


def _status(name: str) -> int:
    try:
        text = Path('/proc/self/status').read_text()
    except OSError:  # no Linux: nothing is measured
        return 0
    found = re.search(rf'{name}:\s+(\d+) kB', text)
    return int(found.group(1)) * 1024 if found else 0
