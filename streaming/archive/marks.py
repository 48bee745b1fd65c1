"""Marks: until when an idle partition holds nothing, so that the partition does not hold the watermark back.

A poll says "this fetch began at T, and the log had no more". What follows for the times of later records depends on
whose clock stamps them:

- *live*: the broker stamps a record when it appends the record. So no later record has a time below T minus the slack
  between the clocks.
- *embedded*: one producer stamps all topics in the order in which it produces: first history with old times, then the
  present. During history T says nothing: a mark of T would raise all history that follows to the present. But this
  holds: take a stamp M that was seen a slack before T. Everything that the producer stamped before M was delivered by
  T, because the slack is the longest time that a producer holds a record back. Everything that it stamps later is at
  least M. So the mark is the largest stamp, of any topic, that was seen a slack before T. Once a stamp was the present
  when it was seen, history has ended, and marks follow the clock as in live.
- *import*: anybody may deliver any old time at any moment, to any partition. There are no marks. Setting the mode to
  live says that the import is over.

A mark is only a promise about time. If it turns out wrong, nothing is lost: later records are raised to it and counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Literal

from streaming.kafka.records.polled import Polled

TopicMode = Literal["live", "import", "embedded"]
EMBEDDED_SLACK_US = 10_000_000
"""The longest time that the embedded producer holds a record back. Generous, because two busy cores can be slow."""


_MOST_SEEN = 1_000


class Marks:
    """Turns what polling found into marks. It must see every batch of every topic that this process polls."""

    def __init__(self, mode: TopicMode, slack_us: int, clock_us: Callable[[], int]) -> None:
        self._mode = mode
        self._slack_us = max(slack_us, EMBEDDED_SLACK_US) if mode == "embedded" else slack_us
        self._clock_us = clock_us
        self._seen_at: list[int] = []  # our clock when the largest stamp so far grew ...
        self._largest: list[int] = []  # ... to this
        self._present_since: int | None = None

    def of(self, polled: Polled) -> int | None:
        """The mark of the batch's partition, microseconds; None if nothing can be promised."""
        if self._mode == "import":
            return None
        if self._mode == "embedded":
            self._note(polled)
        if polled.idle_until_us is None:
            return None
        before = polled.idle_until_us - self._slack_us
        if self._mode == "live" or (self._present_since is not None and before >= self._present_since):
            return before
        return self._largest_seen(before)

    def _note(self, polled: Polled) -> None:
        largest = polled.record_time_us
        if largest < 0 or (self._largest and largest <= self._largest[-1]):
            return
        now = self._clock_us()
        if self._present_since is not None and now - self._present_since > self._slack_us:
            return  # by now marks follow the clock
        self._seen_at.append(now)
        self._largest.append(largest)
        if len(self._seen_at) > _MOST_SEEN:
            # Stamps older than the newest usable one are needed only for a late batch.
            old = max(0, bisect_right(self._seen_at, now - 2 * self._slack_us) - 11)
            del self._seen_at[:old], self._largest[:old]
        if self._present_since is None and largest >= now - self._slack_us:
            self._present_since = now

    def _largest_seen(self, before: int) -> int | None:
        at = bisect_right(self._seen_at, before) - 1
        if at < 0:
            return None
        return min(self._largest[at], before)
