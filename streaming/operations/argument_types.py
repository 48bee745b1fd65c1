"""The types of arguments on the command line: each makes a value of a text, or raises ValueError that says why not."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from streaming.errors import StreamingError

EXECUTE = "do it; without this option the command only shows what it would do"
"""Help of the option --execute."""
_WHOLE = re.compile(r"-?\d+")


class WrongArgumentError(StreamingError, argparse.ArgumentTypeError, ValueError):
    """A text cannot be read as its type. The message says what was found, and what to give."""


def instant(text: str) -> int:
    """An RFC 3339 time, or microseconds since 1970, as `predict` takes them; UTC where no offset is named."""
    if _WHOLE.fullmatch(text):
        from shared_features.definitions import Timestamp  # only here: it loads numpy, which no other argument needs

        if meant := Timestamp("us").in_another_unit(int(text)):
            raise WrongArgumentError(f"{text} is an instant of 1970 in microseconds; {meant}. Give microseconds")
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongArgumentError(f"{text!r} is not an RFC 3339 time; give one such as 2026-03-01T06:00:00Z") from error
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1_000_000)


def position(text: str) -> tuple[str, int, int]:
    """TOPIC:PARTITION:OFFSET."""
    topic, partition, offset = [*text.rsplit(":", 2), "", ""][:3]
    if not topic or not partition.isdecimal() or not offset.isdecimal():
        raise WrongArgumentError(f"{text!r} is not a position; give TOPIC:PARTITION:OFFSET as `list` prints it")
    return topic, int(partition), int(offset)


def day(text: str) -> date:
    """YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise WrongArgumentError(f"{text!r} is not a day; give one such as 2026-03-01") from error


def at_least(least: int) -> Callable[[str], int]:
    """Whole numbers from `least` on."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise WrongArgumentError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return number


def of_entity(text: str) -> tuple[str | None, int]:
    """`[ENTITY=]N`: a number, of one kind of entity or of each."""
    name, _, number = text.rpartition("=")
    return name or None, at_least(1)(number.replace("_", "").replace(",", ""))


def above_zero(text: str) -> float:
    """A number above 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise WrongArgumentError(f"{text!r} is not a number above 0")
    return found
