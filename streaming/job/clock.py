"""The clock of this machine, as a parameter for code that needs the time."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Microseconds since the epoch."""


def system_clock_us() -> int:
    """Microseconds since the epoch, by the system."""
    return time.time_ns() // 1000
