"""Spans of arrival time, and how many events fell into each."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.event_time import to_us

_MOST_ENDED = 1_000
"""Of so many spans at most `close` tells, the newest: an import passes over years at once."""


class Spans:
    """Counts events by span. A span that had begun when the process started is left out: it was not seen whole.

    since_us: the newest arrival time that was stored before the first event of these; -1: none was.
    """

    def __init__(self, every: timedelta, since_us: int) -> None:
        self._every_us = to_us(every)
        self._next = since_us // self._every_us + 1 if since_us >= 0 else None
        self._counts: Counter[int] = Counter()

    def count(self, arrived_us: NDArray[np.int64]) -> None:
        spans, counts = np.unique(arrived_us // self._every_us, return_counts=True)
        self._counts.update(dict(zip(spans.tolist(), counts.tolist(), strict=True)))
        if self._next is None and len(spans):
            self._next = int(spans[0]) + 1

    def close(self, watermark_us: int) -> list[int]:
        """The events of each span that ended by the watermark, oldest first; 0 where none came. Each span once."""
        if self._next is None or (end := watermark_us // self._every_us) <= self._next:
            return []
        ended = [self._counts[span] for span in range(max(self._next, end - _MOST_ENDED), end)]
        self._counts = Counter({span: count for span, count in self._counts.items() if span >= end})
        self._next = end
        return ended
