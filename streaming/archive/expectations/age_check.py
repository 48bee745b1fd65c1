"""How long ago the newest event happened."""

from __future__ import annotations

from datetime import timedelta

from shared_features.definitions import Newest
from shared_features.kernel.event_time import spelled_duration
from streaming.archive.expectations.arrived import Arrived, Reached
from streaming.archive.expectations.finding import Finding


class AgeCheck:
    """Of all events. Every look is a check.

    Against arrival times, and not a clock: while a job catches up, nothing is old. Marks move the arrival time of a
    quiet topic. Before the first event since the start, the newest arrival time from before it stands for an event.
    """

    def __init__(self, newest: Newest, since_us: int) -> None:
        self._newest, self._newest_us = newest, since_us

    def see(self, stored: Arrived, sample: Arrived) -> None:
        self._newest_us = max(self._newest_us, int(stored.events.event_time_us.max(initial=-1)))

    def look(self, reached: Reached) -> Finding | None:
        if self._newest_us < 0 or reached.newest_us < 0:
            return None
        age = timedelta(microseconds=reached.newest_us - self._newest_us)
        met = age <= self._newest.within
        expects = f"newest event within {spelled_duration(self._newest.within)} of the newest arrival time"
        found = f"it happened {age / timedelta(minutes=1):,.1f} min before"
        return Finding("newest", expects, found, met, self._newest.warn, 1, int(not met))
