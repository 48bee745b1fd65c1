"""Aggregations of the earliest and the latest event. Ties of event time break by the digest of the event."""

import math
from dataclasses import dataclass

from shared_features.kernel.aggregations.aggregation import Aggregation, Hashes, Words
from shared_features.kernel.loops.register_bytes import is_empty
from shared_features.kernel.loops.registers import Register


@dataclass(frozen=True)
class First(Aggregation):
    """The value of the earliest event that has one (of ties: smallest digest); NaN when none."""

    name = "first"
    of_texts = True
    wording = "first {column}"
    registers = (Register.FIRST,)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return math.nan if is_empty(row[at[0]]) else float(row[at[0] + 2] / scale)


@dataclass(frozen=True)
class Last(Aggregation):
    """The value of the latest event that has one (of ties: greatest digest); NaN when none."""

    name = "last"
    of_texts = True
    wording = "latest {column}"
    registers = (Register.LAST,)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return math.nan if is_empty(row[at[0]]) else float(row[at[0] + 2] / scale)


@dataclass(frozen=True)
class TimeSinceLast(Aggregation):
    """Seconds from the window's newest event (that has a value, if of a column) to `as_of`; NaN when none."""

    name = "time_since_last"
    of_texts = True
    wording = "time since the latest {event}"
    unit = "seconds"
    registers = (Register.LAST,)
    needs_column = False

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return math.nan if is_empty(row[at[0]]) else float((as_of_us - row[at[0]]) / 1e6)
