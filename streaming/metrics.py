"""What the streaming processes tell Prometheus. One object per process, handed to whom it concerns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from shared_features.kernel.replay import APPLIED, DUPLICATE, PRUNED
from streaming.lateness import LatenessHistogram
from streaming.polled import Polled

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_OUTCOMES = {APPLIED: "applied", DUPLICATE: "duplicate", PRUNED: "too_old"}


class StreamingMetrics:
    """Counters and gauges of a streaming process, on a registry of its own."""

    def __init__(self, allowed_lateness_us: int) -> None:
        self.registry = registry = CollectorRegistry()
        self._allowed_lateness_us = allowed_lateness_us
        self._events = Counter("streaming_events", "Accepted events consumed.", ["source"], registry=registry)
        self._dead = Counter("streaming_dead_letters", "Records that are no event.", ["source"], registry=registry)
        self._lateness = LatenessHistogram(allowed_lateness_us)
        registry.register(self._lateness)
        allowed = Gauge("streaming_allowed_lateness_seconds", "More of it is late.", registry=registry)
        allowed.set(allowed_lateness_us / 1e6)
        self._late = Counter("streaming_late_events", "Events later than allowed.", ["source"], registry=registry)
        self._missing = Counter("streaming_missing_records", "Deleted before read.", ["source"], registry=registry)
        self._outcomes = Counter(
            "streaming_group_events", "What a group did with events.", ["group", "source", "outcome"], registry=registry
        )
        self._states = Counter("streaming_states_written", "Entity states committed.", ["group"], registry=registry)
        self._loads = Counter("streaming_states_loaded", "Entity states loaded.", ["group"], registry=registry)
        self._commits = Histogram(
            "streaming_commit_seconds", "Encoding, sending and waiting.", ["group"], registry=registry, buckets=_SECONDS
        )
        self._freshness = Gauge(
            "streaming_freshness_seconds", "At its last commit, what a shard lacked.", ["shard"], registry=registry
        )

    def serve(self, port: int) -> None:
        """Answer on this port, in a thread of its own."""
        start_http_server(port, registry=self.registry)

    def polled(self, batch: Sequence[Polled]) -> None:
        """Count what a source yields."""
        for each in batch:
            name = each.source.name
            if each.gap is not None:
                self._missing.labels(name).inc(each.gap[1] - each.gap[0])
            if each.dead:
                self._dead.labels(name).inc(len(each.dead))
            if len(each.events):
                self._events.labels(name).inc(len(each.events))
                lateness_us = each.events.record_time_us - each.events.event_time_us
                self._lateness.observe(name, lateness_us)
                self._late.labels(name).inc(int(np.count_nonzero(lateness_us > self._allowed_lateness_us)))

    def applied(self, group: str, source: str, counts: Sequence[int]) -> None:
        """Count what a group did; `counts` by outcome of the kernel."""
        for outcome, name in _OUTCOMES.items():
            if counts[outcome]:
                self._outcomes.labels(group, source, name).inc(counts[outcome])

    def loaded(self, group: str, states: int) -> None:
        self._loads.labels(group).inc(states)

    def committed(self, group: str, shard: str, states: int, seconds: float, freshness_us: int) -> None:
        """Record a commit that was begun."""
        self._commits.labels(group).observe(seconds)
        self._states.labels(group).inc(states)
        self._freshness.labels(shard).set(freshness_us / 1e6)
