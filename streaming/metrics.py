"""The Prometheus metrics of the streaming processes. Each process has one object."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from shared_features.kernel.replay import APPLIED, DUPLICATE, PRUNED

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
Child = TypeVar("Child", bound=MetricWrapperBase)
_OUTCOMES = {APPLIED: "applied", DUPLICATE: "duplicate", PRUNED: "too_old"}
_EDGES_US = (
    *(SECOND_US * number for number in (1, 10)),
    *(MINUTE_US * number for number in (1, 10)),
    *(HOUR_US * number for number in (1, 6)),
    *(DAY_US * number for number in (1, 7, 30)),
)


def lateness_edges_us(allowed_us: int) -> tuple[int, ...]:
    """Upper ends of the buckets, inclusive, ascending; one more bucket follows. The allowed lateness is one of them."""
    return tuple(sorted({*_EDGES_US, *([allowed_us] if allowed_us > 0 else [])}))


class LatenessHistogram(Collector):
    """Lateness by source, for Prometheus. Counts whole batches, unlike the library's histogram."""

    def __init__(self, allowed_us: int) -> None:
        self._edges_us = np.array(lateness_edges_us(allowed_us), np.int64)
        self._counts: dict[str, NDArray[np.int64]] = {}
        self._sums_us: dict[str, int] = {}
        self._lock = threading.Lock()

    def observe(self, source: str, lateness_us: NDArray[np.int64]) -> None:
        """Count a batch. An event that is ahead of its record has a lateness of 0."""
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


class StreamingMetrics:
    """Counters and gauges of a streaming process, on a registry of its own."""

    def __init__(self, allowed_lateness_us: int) -> None:
        self.registry = registry = CollectorRegistry()
        self._allowed_lateness_us = allowed_lateness_us
        self._children: dict[tuple[MetricWrapperBase, tuple[str, ...]], MetricWrapperBase] = {}
        self._events = Counter("streaming_events", "Accepted events consumed.", ["source"], registry=registry)
        self._dead = Counter(
            "streaming_dead_letters", "Records that are not acceptable events.", ["source"], registry=registry
        )
        self._lateness = LatenessHistogram(allowed_lateness_us)
        registry.register(self._lateness)
        allowed = Gauge(
            "streaming_allowed_lateness_seconds", "Events with a larger lateness are late.", registry=registry
        )
        allowed.set(allowed_lateness_us / 1e6)
        self._late = Counter("streaming_late_events", "Events later than allowed.", ["source"], registry=registry)
        self._missing = Counter(
            "streaming_missing_records", "Records deleted before they were read.", ["source"], registry=registry
        )
        self._outcomes = Counter(
            "streaming_group_events", "What a group did with events.", ["group", "source", "outcome"], registry=registry
        )
        self._states = Counter("streaming_states_written", "Entity states committed.", ["group"], registry=registry)
        self._loads = Counter("streaming_states_loaded", "Entity states loaded.", ["group"], registry=registry)
        self._commits = Histogram(
            "streaming_commit_seconds",
            "Time to send a commit, and to await the previous commit.",
            ["group"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._freshness = Gauge(
            "streaming_freshness_seconds",
            "Age of a shard's newest data at its last commit.",
            ["shard"],
            registry=registry,
        )

    def _child(self, metric: Child, *labels: str) -> Child:
        """The metric with these labels. Kept: the library locks and spells the labels at every look."""
        if (found := self._children.get((metric, labels))) is None:
            found = self._children[metric, labels] = metric.labels(*labels)
        return cast(Child, found)

    def serve(self, port: int) -> None:
        """Answer on this port, in a thread of its own."""
        start_http_server(port, registry=self.registry)

    def read(self, source: str, lateness_us: NDArray[np.int64], dead: int, missing: int) -> None:
        """Count what was read of a source: its events by their lateness, dead letters, records deleted before."""
        if missing:
            self._child(self._missing, source).inc(missing)
        if dead:
            self._child(self._dead, source).inc(dead)
        if len(lateness_us):
            self._child(self._events, source).inc(len(lateness_us))
            self._lateness.observe(source, lateness_us)
            self._child(self._late, source).inc(int(np.count_nonzero(lateness_us > self._allowed_lateness_us)))

    def applied(self, group: str, source: str, counts: Sequence[int]) -> None:
        """Count what a group did; `counts` by outcome of the kernel."""
        for outcome, name in _OUTCOMES.items():
            if counts[outcome]:
                self._child(self._outcomes, group, source, name).inc(counts[outcome])

    def loaded(self, group: str, states: int) -> None:
        self._child(self._loads, group).inc(states)

    def committed(self, group: str, shard: str, states: int, seconds: float, freshness_us: int) -> None:
        """Record a commit that was begun."""
        self._child(self._commits, group).observe(seconds)
        self._child(self._states, group).inc(states)
        self._child(self._freshness, shard).set(freshness_us / 1e6)
