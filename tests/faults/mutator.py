"""Damage to files, texts and words: every mutation follows from a generator's seed."""

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

INTEGERS = (
    *(0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000),
    *(0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF),
)
# What a user can type where a value belongs; no code that does anything.
VALUES = (
    *('None', 'True', '0', '-1', '1', '1.5', '1e309', '-0.0', "float('nan')"),
    *('10**9', '10**30', "''", "'x'", "'/'", '[]', '{}', '()', '(1,)', '[1, 2, 3]'),
    *('dict()', "dict(type='No')", 'dict(type=3)', '[None]', 'int', "b'x'", "'é'"),
    *('(64, 64)', '[[]]', '{1: 2}', '...'),
)
WORDS = (
    *('', ' ', '-', '--', '.', '/proc/none', 'none'),
    *('-1', '0', '1', '2', '1e309', 'nan', 'inf', '-inf', '1.5', '10' * 12, '0x10'),
    *('é', '日本', '🙂', 'a b', "it's", '"', '\\', '%s', '{}', '$HOME', '~', '*', '\t'),
    *('a\nb', '\u202e', '\udcff', 'x' * 300, 'x' * 5000, 'None', 'null', 'True', '='),
    *('a=', '=b', 'a=1', 'a.b=1', '--help', '-h', '--', '64', '100000', '256x128'),
    *('cpu', 'cuda:99', 'meta', 'sctnet-t-streets', 'a/b', './a', 'NUL', 'file.png'),
)


def _place(data: bytearray, rng: Random, longest: int = 64) -> slice:
    start = rng.randrange(len(data) + 1)
    return slice(start, min(len(data), start + rng.randint(1, longest)))


def flip_bits(data: bytearray, rng: Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8, 64)) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def truncate(data: bytearray, rng: Random) -> None:
    del data[rng.randrange(len(data) + 1) :]


def zero_span(data: bytearray, rng: Random) -> None:
    place = _place(data, rng, rng.choice((4, 64, 4096)))
    data[place] = bytes(place.stop - place.start)


def random_span(data: bytearray, rng: Random) -> None:
    place = _place(data, rng)
    data[place] = rng.randbytes(place.stop - place.start)


def duplicate_chunk(data: bytearray, rng: Random) -> None:
    chunk = data[_place(data, rng, 512)]
    start = rng.randrange(len(data) + 1)
    data[start:start] = chunk


def remove_chunk(data: bytearray, rng: Random) -> None:
    del data[_place(data, rng, 512)]


def edit_header(data: bytearray, rng: Random) -> None:
    for _ in range(rng.randint(1, 4) if data else 0):
        data[rng.randrange(min(64, len(data)))] = rng.randrange(256)


def overwrite_integer(data: bytearray, rng: Random) -> None:
    size = rng.choice((1, 2, 4, 8))
    reach = rng.choice((64, 256, len(data)))  # headers hold most of the integers
    start = rng.randrange(max(1, min(reach, len(data))))
    value = rng.choice(INTEGERS) & (256**size - 1)
    data[start : start + size] = value.to_bytes(size, rng.choice(('little', 'big')))


def append_garbage(data: bytearray, rng: Random) -> None:
    data += rng.randbytes(rng.randint(1, 300))


def empty(data: bytearray, rng: Random) -> None:
    data.clear()


def random_bytes(data: bytearray, rng: Random) -> None:
    data[:] = rng.randbytes(rng.randint(1, 2000))


def nothing(data: bytearray, rng: Random) -> None:
    """The control: a sound file must be taken."""


Damage = Callable[[bytearray, Random], None]
DAMAGES: Sequence[Damage] = (
    *(flip_bits, flip_bits, truncate, truncate, zero_span, random_span),
    *(duplicate_chunk, remove_chunk, edit_header, edit_header, overwrite_integer),
    *(overwrite_integer, append_garbage, empty, random_bytes, nothing),
)


def mutate_bytes(data: bytes, rng: Random) -> tuple[bytes, str]:
    """Damage ``data`` in one to three ways; return it and the ways' names."""
    damaged = bytearray(data)
    ways = rng.choices(DAMAGES, k=rng.choice((1, 1, 2, 3)))
    for way in ways:
        way(damaged, rng)
    return bytes(damaged), '+'.join(way.__name__ for way in ways)


def resize_header(data: bytes, rng: Random) -> bytes:
    """Let a picture's header claim another width or height, often a huge one."""
    width, height = (
        rng.choice((0, 1, 63, 65, 4096, 20000, 50000, 65535, 2**31 - 1, 2**32 - 1))
        for _ in range(2)
    )
    changed = bytearray(data)
    if data[:4] == b'\x89PNG':
        changed[16:24] = struct.pack('>II', width, height)
        return repair_png(bytes(changed))
    if data[:2] == b'BM':
        changed[18:26] = struct.pack('<II', width, height)
    if data[:2] == b'\xff\xd8':
        for marker in (b'\xff\xc0', b'\xff\xc2'):
            start = data.find(marker)
            if start > 0:
                small = height & 0xFFFF, width & 0xFFFF
                changed[start + 5 : start + 9] = struct.pack('>HH', *small)
                break
    if data[:4] == b'II*\0':
        for tag, value in ((256, width), (257, height)):
            start = data.find(struct.pack('<HH', tag, 3))
            start = start if start >= 0 else data.find(struct.pack('<HH', tag, 4))
            if start >= 0:
                changed[start + 2 : start + 12] = struct.pack('<HII', 4, 1, value)
    if data[8:16] == b'WEBPVP8 ':
        changed[26:30] = struct.pack('<HH', width & 0x3FFF, height & 0x3FFF)
    return bytes(changed)


def repair_png(data: bytes) -> bytes:
    """Make a PNG's check sums right again, so that decoders get to see the damage."""
    parts, start = [data[:8]], 8
    while start + 12 <= len(data):
        (length,) = struct.unpack('>I', data[start : start + 4])
        body = data[start + 4 : start + 8 + length]
        parts += [data[start : start + 4], body, struct.pack('>I', zlib.crc32(body))]
        start += 12 + length
    return b''.join(parts) + data[start:]


def mutate_text(text: str, rng: Random) -> tuple[str, str]:
    """Damage a config's text in one to three ways; return it and the ways' names."""
    ways = rng.choices(TEXT_DAMAGES, k=rng.choice((1, 1, 2, 3)))
    for way in ways:
        text = way(text, rng)
    return text, '+'.join(way.__name__ for way in ways)


def delete_line(text: str, rng: Random) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        del lines[rng.randrange(len(lines))]
    return ''.join(lines)


def duplicate_line(text: str, rng: Random) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return ''.join(lines)


def _replace(pattern: str, text: str, rng: Random, new: str) -> str:
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    one = rng.choice(found)
    return text[: one.start()] + new + text[one.end() :]


def replace_token(text: str, rng: Random) -> str:
    tokens = re.findall(r'\w+', text) or ['x']
    return _replace(r'\w+', text, rng, rng.choice((*tokens, 'nothing')))


def replace_value(text: str, rng: Random) -> str:
    pattern = r"(?<==)\s*(?:'[^']*'|[\w.-]+|\[\]|\(\d+, \d+\))|\b\d[\d.e-]*"
    return _replace(pattern, text, rng, rng.choice(VALUES))


def misspell(text: str, rng: Random) -> str:
    word = rng.choice(re.findall(r'[A-Za-z_]{3,}', text) or ['x'])
    at = rng.randrange(len(word))
    return _replace(re.escape(word), text, rng, word[:at] + word[at + 1 :])


def edit_characters(text: str, rng: Random) -> str:
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        new = rng.choice(['', *'()[]{}=,.:\'"#\\ \n\t', 'é', '\0', '0', '\ufeff'])
        text = text[:at] + new + text[at + rng.randint(0, 1) :]
    return text


def cut_text(text: str, rng: Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def no_change(text: str, rng: Random) -> str:
    """The control."""
    return text


TEXT_DAMAGES = (
    *(delete_line, duplicate_line, replace_token, replace_token, replace_value),
    *(replace_value, replace_value, misspell, edit_characters, cut_text, no_change),
)


def mutate_words(words: Sequence[str], rng: Random) -> list[str]:
    """Damage a command line: words replaced, added, doubled, dropped or swapped."""
    words = list(words)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(words) + 1)
        way = rng.randrange(6)
        if way <= 1 and at < len(words):
            words[at] = rng.choice(WORDS)
        elif way == 2:
            words.insert(at, rng.choice(WORDS))
        elif way == 3 and words:
            words.insert(at, rng.choice(words))
        elif way == 4:
            del words[at : at + rng.randint(1, 2)]
        elif words:
            other = rng.randrange(len(words))
            at = min(at, len(words) - 1)
            words[at], words[other] = words[other], words[at]
    return words
