"""Mending: from a dead letter to the bytes that are sent instead, and whether these bytes are an acceptable event."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shared_features.definitions import EventSource
from shared_features.kernel.event_time import MILLISECOND_US
from streaming.errors import RefusedError
from streaming.job.clock import Clock, system_clock_us
from streaming.kafka.records.record_reader import CREATE_TIME, LOG_APPEND_TIME, RecordReader, Records, StampRule
from streaming.operations.dead_letters.letter import Letter, Place, from_json
from streaming.settings import StreamingSettings

Mend = Callable[[Letter], bytes | None]
"""The bytes to send instead of a letter; None to leave the letter alone."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A letter and the bytes that are sent instead. stamp_ms: the record's stamp, None if the brokers set it.

    fault: why the letter is left alone; None if it is an acceptable event now.
    """

    letter: Letter
    value: bytes | None
    stamp_ms: int | None
    fault: str | None


def as_it_is(letter: Letter) -> bytes | None:
    """The unchanged bytes, for letters that newer definitions accept."""
    return letter.value


def by_function(name: str) -> Mend:
    """`module:function`, which takes (value, reason)."""
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise RefusedError(f"--mend {name} cannot be imported ({error}). Give an importable MODULE:FUNCTION") from error

    def mend(letter: Letter) -> bytes | None:
        mended = None if letter.value is None else function(letter.value, letter.reason)
        if mended is not None and not isinstance(mended, bytes):
            at = ":".join(map(str, letter.position))
            raise RefusedError(f"--mend {name} returned a {type(mended).__name__} for {at}. Return bytes, or None")
        return mended

    return mend


def by_hand(file: Path) -> tuple[Mend, set[Place]]:
    """The lines of a file that a person has edited, and the places in it. Other letters are left alone."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")  # not splitlines: JSON may hold U+0085 and U+2028
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"--from {file} cannot be read: {error}") from error
    edited: dict[Place, bytes | None] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            place, value = from_json(line, f"--from {file}, line {number},")
            if edited.setdefault(place, value) != value:
                raise RefusedError(
                    f"--from {file}, line {number}, mends {place[0]} again, differently. Remove one of the lines"
                )
    return lambda letter: edited.get(letter.place), set(edited)


class TrialReader:
    """Decides, exactly as the stream job does, whether mended letters are acceptable events now."""

    def __init__(
        self,
        settings: StreamingSettings,
        sources: Iterable[EventSource],
        clock_us: Clock = system_clock_us,
    ) -> None:
        self._live = settings.topic_mode == "live"
        self._clock_us = clock_us
        rule = StampRule.of(settings)
        self._readers = {source.topic: RecordReader(source, rule) for source in sources}

    def tried(self, letters: Iterable[Letter], mend: Mend) -> Iterator[Mended]:
        for letter in letters:
            stamp_ms = None if self._live else letter.record_time_us // MILLISECOND_US
            try:
                value = mend(letter)
            except RefusedError:
                raise
            except Exception as error:  # a user's function on faulty bytes may raise anything
                yield Mended(letter, None, stamp_ms, f"the function of --mend raised {type(error).__name__}: {error}")
                continue
            yield Mended(letter, value, stamp_ms, self._fault(letter, value))

    def _fault(self, letter: Letter, value: bytes | None) -> str | None:
        reader = self._readers.get(letter.topic)
        if reader is None:
            return f"no event source of the definitions reads topic {letter.topic}"
        if value is None:
            return "the mended letter has no value to send"
        if self._live:
            stamp_ms, stamp_type = self._clock_us() // MILLISECOND_US, LOG_APPEND_TIME
        elif letter.record_time_us < 0:
            return "the stamp was refused, not the value; a stamp cannot be mended"
        else:  # the old stamp: a stamp of today would move the arrival time of all history that follows
            stamp_ms, stamp_type = letter.record_time_us // MILLISECOND_US, CREATE_TIME
        read = reader.read(_record(letter, value, stamp_ms, stamp_type))
        return read.dead[0].reason if read.dead else None


def _record(letter: Letter, value: bytes, stamp_ms: int, stamp_type: int) -> Records:
    def column(number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([number], np.int64)

    values: Sequence[bytes | None] = [value]
    return Records(
        letter.topic,
        letter.partition,
        column(letter.offset),
        column(stamp_ms),
        column(stamp_type),
        values,
        key_of=lambda _: letter.key,
    )
