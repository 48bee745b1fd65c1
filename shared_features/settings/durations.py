"""Durations as settings have them: a number of seconds, or a text of ISO 8601."""

from __future__ import annotations

from datetime import timedelta


def in_seconds(value: object) -> object:
    """A text that is a bare number, as an environment variable holds it, becomes so many seconds; all else stays.

    >>> in_seconds("90"), in_seconds("PT10M")
    (datetime.timedelta(seconds=90), 'PT10M')
    """
    try:
        return timedelta(seconds=float(value)) if isinstance(value, str) else value
    except ValueError:
        return value
