"""Marks: until when an idle partition is known to hold nothing, so that it holds nobody back.

Polling says "this fetch began at T, and the log had no more". What follows for the times of records still to come
depends on whose clock stamps them:

- *live*: the broker stamps a record when it appends it, so nothing below T less the slack between the clocks comes.
- *embedded*: one producer stamps all topics in the order in which it produces, first history with its own old
  times, then the present. T says nothing while history is under way: a mark of T would raise all history that
  follows to now. What holds: a record stamped M that was seen a slack before T was produced before that; whatever
  the producer stamped earlier was delivered by T (the slack is the longest that a producer holds a record back), and
  what it stamps later is at least M. So the mark is the largest stamp, of any topic, that was seen a slack before T.
  Once a stamp was seen that was the present when it was seen, history is over and marks follow the clock as in live.
- *import*: anybody may deliver any old time at any moment, to any partition. There are no marks; setting the mode
  to live says that the import is over.

A mark is only a promise about time. One that turns out wrong loses nothing: later records are raised to it, counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Literal

from streaming.kafka.polled import Polled

TopicMode = Literal["live", "import", "embedded"]
EMBEDDED_SLACK_US = 10_000_000
"""The longest that the embedded producer holds a record back; generous, because two busy cores can be slow."""


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
        """The mark of the batch's partition, microseconds; None where nothing can be promised."""
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
            return  # whoever asks by now is told by the clock
        self._seen_at.append(now)
        self._largest.append(largest)
        if len(self._seen_at) > _MOST_SEEN:
            # What is older than the newest usable stamp is never asked for again, but for a late batch.
            old = max(0, bisect_right(self._seen_at, now - 2 * self._slack_us) - 11)
            del self._seen_at[:old], self._largest[:old]
        if self._present_since is None and largest >= now - self._slack_us:
            self._present_since = now

    def _largest_seen(self, before: int) -> int | None:
        at = bisect_right(self._seen_at, before) - 1
        if at < 0:
            return None
        return min(self._largest[at], before)
