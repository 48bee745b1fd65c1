"""The types of arguments on a command line: what a text means, and what to write where it means nothing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, date, datetime


def position(text: str) -> tuple[str, int, int]:
    """Topic, partition and offset."""
    topic, partition, offset = [*text.rsplit(":", 2), "", ""][:3]
    if not topic or not partition.isdecimal() or not offset.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a position; give TOPIC:PARTITION:OFFSET as `list` prints it")
    return topic, int(partition), int(offset)


def instant(text: str) -> int:
    """Microseconds since 1970; a time without a zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an RFC 3339 time; give one such as 2026-03-01T06:00:00Z"
        ) from error
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1_000_000)


def day(text: str) -> date:
    """A day of the calendar."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; give one such as 2026-03-01") from error


def at_least(least: int) -> Callable[[str], int]:
    """The type of a whole number of at least so much."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return number
