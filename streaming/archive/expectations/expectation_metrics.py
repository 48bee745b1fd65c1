"""The metrics of what is expected of sources, in the registry of the process."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from streaming.archive.expectations.finding import Finding
from streaming.metrics import StreamingMetrics


class ExpectationMetrics:
    """Of all sources that the process stores."""

    def __init__(self, metrics: StreamingMetrics) -> None:
        labels, registry = ["source", "expectation"], metrics.registry
        self._checks = Counter(
            "streaming_expectation_checks",
            "Checks of what is expected of a source: of a sampled event, of a span of time, or of the newest event.",
            labels,
            registry=registry,
        )
        self._failures = Counter("streaming_expectation_failures", "Checks that failed.", labels, registry=registry)
        self._met = Gauge(
            "streaming_expectation_met",
            "1 where the expectation was met at the last look, 0 where not.",
            labels,
            registry=registry,
        )

    def found(self, source: str, finding: Finding) -> None:
        """Count what a look found."""
        self._checks.labels(source, finding.name).inc(finding.checks)
        self._failures.labels(source, finding.name).inc(finding.failures)
        self._met.labels(source, finding.name).set(finding.met)
