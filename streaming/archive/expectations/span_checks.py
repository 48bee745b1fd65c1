"""How many events, and how many copies, come in a span of arrival time."""

from __future__ import annotations

from shared_features.counted import counted
from shared_features.definitions import Copies, Rows
from streaming.archive.expectations.arrived import Arrived, Reached
from streaming.archive.expectations.copied_events import CopiedEvents
from streaming.archive.expectations.finding import Finding
from streaming.archive.expectations.spans import Spans


class RowsCheck:
    """Counts all events. A span that ended is a check."""

    def __init__(self, rows: Rows, since_us: int) -> None:
        self._rows, self._spans = rows, _spans(rows, since_us)

    def see(self, stored: Arrived, sample: Arrived) -> None:
        self._spans.count(stored.arrived_us)

    def look(self, reached: Reached) -> Finding | None:
        ended = self._spans.close(reached.watermark_us)
        if not ended:
            return None
        wrong = [count for count in ended if not self._rows.is_met(count)]
        found = f"{counted((wrong or ended)[-1], 'event')} came"
        return Finding("rows", f"{self._rows}", found, not wrong, self._rows.warn, len(ended), len(wrong))


class CopiesCheck:
    """Counts the copies of a sample of about one in `every` events. A span that ended is a check."""

    def __init__(self, copies: Copies, since_us: int, every: int) -> None:
        self._copies, self._spans, self._every = copies, _spans(copies, since_us), every
        self._known = CopiedEvents()

    def see(self, stored: Arrived, sample: Arrived) -> None:
        self._spans.count(sample.arrived_us[self._known.are_copies(sample.events.digest)])

    def look(self, reached: Reached) -> Finding | None:
        ended = self._spans.close(reached.watermark_us)
        if not ended:
            return None
        wrong = [count for count in ended if count * self._every > self._copies.at_most]
        count = (wrong or ended)[-1]
        about = f", about {count * self._every:,} of all events" if self._every > 1 else ""
        found = f"{counted(count, 'copy', 'copies')} in the sample{about}"
        return Finding("copies", str(self._copies), found, not wrong, self._copies.warn, len(ended), len(wrong))


def _spans(expectation: Rows | Copies, since_us: int) -> Spans:
    if expectation.every is None:
        raise TypeError(f"{expectation} has no span of time, and the definition of a source refuses that")
    return Spans(expectation.every, since_us)
