"""The metrics of scored events, in the registry of the process."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from streaming.metrics import StreamingMetrics


class ScoreMetrics:
    """Of all views that the process scores."""

    def __init__(self, metrics: StreamingMetrics) -> None:
        self._events = Counter(
            "streaming_scored_events",
            "Events that were scored. outcome: scored, or refused (the record says why there is no score).",
            ["view", "outcome"],
            registry=metrics.registry,
        )
        self._delay = Gauge(
            "streaming_score_delay_seconds",
            "From the record time of the newest scored event to its score.",
            ["view"],
            registry=metrics.registry,
        )

    def scored(self, view: str, scored: int, refused: int, delay_us: int) -> None:
        """Count the events of one transaction. view: its name."""
        self._events.labels(view, "scored").inc(scored)
        self._events.labels(view, "refused").inc(refused)
        self._delay.labels(view).set(delay_us / 1e6)
