"""A check: one thing that is expected of a source, followed along its events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from shared_features.definitions import Copies, EventSource, Expect, Newest, Rows
from shared_features.definitions.expectations.aspect import aspects_of
from shared_features.definitions.expectations.field_scale import FieldScale
from streaming.archive.expectations.age_check import AgeCheck
from streaming.archive.expectations.arrived import Arrived, Reached
from streaming.archive.expectations.finding import Finding
from streaming.archive.expectations.span_checks import CopiesCheck, RowsCheck
from streaming.archive.expectations.value_check import ValueCheck


class Check(Protocol):
    """Counts what it sees. `look` returns what was found since the last finding, or None where nothing can be said."""

    def see(self, stored: Arrived, sample: Arrived) -> None: ...

    def look(self, reached: Reached) -> Finding | None: ...


def checks_of(source: EventSource, every: int, since_us: int) -> Iterator[Check]:
    """One for each thing that is expected. every, since_us: as of `SourceChecks`."""
    for expectation in source.expectations:
        match expectation:
            case Expect(column):
                for aspect in aspects_of(expectation, FieldScale(source.field(column))):
                    yield ValueCheck(aspect)
            case Rows():
                yield RowsCheck(expectation, since_us)
            case Copies():
                yield CopiesCheck(expectation, since_us, every)
            case Newest():
                yield AgeCheck(expectation, since_us)
