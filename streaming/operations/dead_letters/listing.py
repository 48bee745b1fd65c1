"""Dead letters as text for people: counts per reason, one line per letter, or one complete letter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from streaming.operations.dead_letters.letter import Letter, Position
from streaming.operations.saying import instant

_WHERE = re.compile(r" \(topic .*, partition \d+, offset \d+\)$")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_NUMBER = re.compile(r"(?<![\w$])-?\d[\d_]*(\.\d+)?")
_SHOWN_BYTES = 100
_HEX_WIDTH = 16


def kind_of(reason: str) -> str:
    """A reason without the parts that differ between letters: place, instants, numbers.

    >>> kind_of("out of bounds 0 to 9: 12 - at $.depth (topic readings, partition 0, offset 7)")
    'out of bounds N to N: N - at $.depth'
    """
    return _NUMBER.sub("N", _INSTANT.sub("TIME", _WHERE.sub("", reason)))


def count_kinds(letters: Iterable[Letter]) -> Counter[tuple[str, str]]:
    """The number of letters by topic and kind of reason."""
    return Counter((letter.topic, kind_of(letter.reason)) for letter in letters)


def count_lines(counts: Counter[tuple[str, str]]) -> Iterator[str]:
    width = max((len(topic) for topic, _ in counts), default=0)
    for (topic, kind), number in counts.most_common():
        yield f"{number:>9,}  {topic.ljust(width)}  {kind}"


def line(letter: Letter, replayed_as: Position | None) -> str:
    """One letter on one line."""
    at = ":".join(map(str, letter.position))
    again = "" if replayed_as is None else f"  (replayed as {':'.join(map(str, replayed_as))})"
    return f"{at}  {instant(letter.arrival_us) or '-'}  {_WHERE.sub('', letter.reason)}  {_short(letter.value)}{again}"


def whole(letter: Letter, replayed_as: Position | None) -> Iterator[str]:
    """One complete letter. Bytes are text if they are UTF-8, else hex."""
    yield f"topic         {letter.topic} ({letter.topic_id or 'its id was not stored'})"
    yield f"partition     {letter.partition}"
    yield f"offset        {letter.offset}"
    yield f"record time   {instant(letter.record_time_us) or 'refused'}"
    yield f"arrival time  {instant(letter.arrival_us) or '-'}"
    yield f"reason        {letter.reason}"
    yield f"replayed as   {'not replayed' if replayed_as is None else ':'.join(map(str, replayed_as))}"
    for name, content in (("key", letter.key), ("value", letter.value)):
        yield f"{name} ({'none' if content is None else f'{len(content)} bytes'})"
        if content:
            yield from _content(content)


def _content(content: bytes) -> Iterator[str]:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = ""
    if text and all(character.isprintable() or character in "\n\r\t" for character in text):
        yield from (f"  {each}" for each in text.splitlines())
        return
    for start in range(0, len(content), _HEX_WIDTH):
        row = content[start : start + _HEX_WIDTH]
        seen = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"  {start:08x}  {row.hex(' ').ljust(3 * _HEX_WIDTH)} {seen}"


def _short(content: bytes | None) -> str:
    if content is None:
        return "no value"
    shown = ascii(content[:_SHOWN_BYTES])[2:-1]
    return shown + ("..." if len(content) > _SHOWN_BYTES else "")
