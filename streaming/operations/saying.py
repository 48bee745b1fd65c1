"""What a command tells the person who gave it: lines on standard output. The log goes to standard error."""

from __future__ import annotations

import sys

from shared_features.kernel.event_time import to_datetime


def say(text: str) -> None:
    """Write a line, or several."""
    sys.stdout.write(text + "\n")


def instant(time_us: int) -> str | None:
    """An instant as text, None where there is none (below 0)."""
    return None if time_us < 0 else to_datetime(time_us).isoformat().replace("+00:00", "Z")
