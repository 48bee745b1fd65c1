"""What a command prints for the person who ran it, on standard output. The log goes to standard error."""

from __future__ import annotations

import sys

from shared_features.kernel.event_time import to_text


def say(text: str) -> None:
    """Print one or more lines."""
    sys.stdout.write(text + "\n")


def instant(time_us: int) -> str | None:
    """An instant as text; None if there is none (below 0)."""
    return None if time_us < 0 else to_text(time_us)
