"""How late events come, counted in buckets: the same edges in the metrics and in `status`, the allowed lateness one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_EDGES_US = (
    *(SECOND_US * number for number in (1, 10)),
    *(MINUTE_US * number for number in (1, 10)),
    *(HOUR_US * number for number in (1, 6)),
    *(DAY_US * number for number in (1, 7, 30)),
)


def lateness_edges_us(allowed_us: int) -> tuple[int, ...]:
    """Upper ends of the buckets, each included, ascending; beyond the last is one more. The allowed lateness is one."""
    return tuple(sorted({*_EDGES_US, *([allowed_us] if allowed_us > 0 else [])}))


class LatenessHistogram(Collector):
    """Lateness by source, for Prometheus. Counts whole batches; the library's own histogram takes one at a time."""

    def __init__(self, allowed_us: int) -> None:
        self._edges_us = np.array(lateness_edges_us(allowed_us), np.int64)
        self._counts: dict[str, NDArray[np.int64]] = {}
        self._sums_us: dict[str, int] = {}
        self._lock = threading.Lock()

    def observe(self, source: str, lateness_us: NDArray[np.int64]) -> None:
        """Count a batch; an event that is ahead of its record counts as not late at all."""
        buckets = np.searchsorted(self._edges_us, lateness_us, side="left")
        counts = np.bincount(buckets, minlength=len(self._edges_us) + 1)
        total_us = int(np.maximum(lateness_us, 0).sum())
        with self._lock:
            self._counts[source] = self._counts.get(source, np.zeros_like(counts)) + counts
            self._sums_us[source] = self._sums_us.get(source, 0) + total_us

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What Prometheus scrapes."""
        family = HistogramMetricFamily(
            "streaming_event_lateness_seconds", "Record time minus event time.", labels=["source"]
        )
        names = [*(f"{edge / SECOND_US:.12g}" for edge in self._edges_us.tolist()), "+Inf"]
        with self._lock:
            for source, counts in self._counts.items():
                buckets = list(zip(names, np.cumsum(counts).tolist(), strict=True))
                family.add_metric([source], buckets, self._sums_us[source] / SECOND_US)
        yield family
