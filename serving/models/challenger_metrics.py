"""The metrics of challengers: versions that are compared with those that answer."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_DIFFERENCE = (1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class ChallengerMetrics:
    """In the registry of the application."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._scores = Counter(
            "serving_challenger_scores",
            "Instances that a challenger was to score after the answer. outcome: scored; failed (the model raised, "
            "gave no number, or took too long); dropped (too many waited); or other task (nothing to compare).",
            ["view", "outcome"],
            registry=registry,
        )
        self._difference = Histogram(
            "serving_challenger_difference",
            "How far the challenger's score of an instance is from the answer's: a difference of probabilities, the "
            "largest one of all classes, or of values as a share of the larger one.",
            ["view"],
            buckets=_DIFFERENCE,
            registry=registry,
        )
        self._decisions = Counter(
            "serving_challenger_decisions",
            "Instances by whether the challenger decides the same: by the thresholds of the models, or by the most "
            "probable class.",
            ["view", "same"],
            registry=registry,
        )
        self._info = Gauge(
            "serving_challenger_info",
            "1 for the model version that is compared with the one that answers.",
            ["view", "model", "version"],
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._compared: dict[str, tuple[str, str, str]] = {}

    def compared(self, view: str, model: str, version: str) -> None:
        """Another version is compared from now on; the empty text: none."""
        if view in self._compared:
            self._info.labels(*self._compared.pop(view)).set(0)
        if version:
            self._compared[view] = (view, model, version)
            self._info.labels(view, model, version).set(1)

    def scored(self, view: str, difference: float, same_decision: bool | None) -> None:
        """One instance was scored. same_decision: None where the models decide nothing."""
        self._scores.labels(view, "scored").inc()
        self._difference.labels(view).observe(difference)
        if same_decision is not None:
            self._decisions.labels(view, "true" if same_decision else "false").inc()

    def unscored(self, view: str, outcome: str, instances: int) -> None:
        """So many instances were not scored, or not compared."""
        self._scores.labels(view, outcome).inc(instances)
