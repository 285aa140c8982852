"""What every case must keep, whatever it is given; see the functions for the rules."""

import contextlib
import hashlib
import io
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

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

    ``tool``: the call is a tool's ``main`` behind ``run_tool``; else it is the API and
    may raise ``SCTNetError`` alone. ``note`` says what was damaged. ``sound``: nothing
    was, and a refusal is a violation too.
    """

    call: Callable[[], object]
    note: str
    tool: bool = False
    sound: bool = False


@dataclass
class Result:
    """How a case ended: ``accepted``, ``refused`` or ``violation``."""

    kind: str
    seed: int
    verdict: str
    note: str = ''
    said: str = ''
    violations: list[str] = field(default_factory=list)


def judge(kind: str, seed: int, case: Case, place: Place) -> Result:
    """Run ``case`` and hold it against the contract."""
    before = _hashes(place.inputs)
    start = _reset_peak()
    verdict, said, violations = _run_tool(case) if case.tool else _run_call(case)
    grown = _peak() - start
    if grown > MEMORY:
        violations.append(f'took {grown / 2**20:.0f} MiB of memory')
    after = _hashes(place.inputs)
    violations += [f'changed input {n}' for n in before if after.get(n) != before[n]]
    violations += list(_leftovers(place, before))
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


def _last_line() -> str:
    kind, value, tb = sys.exc_info()
    last = traceback.extract_tb(tb)[-1]
    first = str(value).strip().partition('\n')[0][:160]
    return f'{kind.__name__}: {first} ({Path(last.filename).name}:{last.lineno})'


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob('*'))
        if path.is_file() and not path.is_symlink()
    }


def _leftovers(place: Place, inputs: dict[str, str]) -> Iterator[str]:
    """Temporary files, and results that cannot be read.

    A whole copy of an input may be as damaged as that.
    """
    for folder in (place.inputs, place.outputs):
        for path in folder.rglob('.*-*'):
            yield f'left {path.name} behind'
    for name, digest in _hashes(place.outputs).items():
        path = place.outputs / name
        if not path.name.startswith('.') and digest not in inputs.values():
            problem = _unreadable(path)
            if problem:
                yield f'half-written {path.name} ({problem})'


def _unreadable(path: Path) -> str | None:
    read = READERS.get(path.suffix)
    try:
        if read is not None:
            read(path)
        elif not path.stat().st_size:
            return 'empty'
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return None


def _read_picture(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as image:
        image.load()


def _read_torch(path: Path) -> None:
    import torch

    torch.load(path, map_location='cpu', weights_only=True)


def _read_safetensors(path: Path) -> None:
    from safetensors.torch import load_file

    load_file(path)


def _read_video(path: Path) -> None:
    import cv2

    video = cv2.VideoCapture(os.fspath(path))
    assert video.isOpened(), 'cannot be opened'
    assert video.grab(), 'no frame'


def _read_onnx(path: Path) -> None:
    import onnx

    onnx.checker.check_model(onnx.load(path))


def _read_json(path: Path) -> None:
    for text in path.read_text().splitlines() if path.stem == 'scalars' else ():
        json.loads(text)
    if path.stem != 'scalars' and path.stat().st_size:
        json.loads(path.read_text())


READERS: dict[str, Callable[[Path], None]] = {
    '.png': _read_picture,
    '.jpg': _read_picture,
    '.pth': _read_torch,
    '.safetensors': _read_safetensors,
    '.mp4': _read_video,
    '.onnx': _read_onnx,
    '.json': _read_json,
    '.log': lambda path: None,
}


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
