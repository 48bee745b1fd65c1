"""The metrics of serving for Prometheus. The request path calls the methods of `Metrics`."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from serving.batch_histogram import BatchHistogram
from serving.uncounted import Answered, Observation, RoundTrip, RowsOfGroup, Uncounted

_LATENCY_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_BATCH = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024)
_AGE_S = (1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000)


class Metrics:
    """Metrics of one application, in a registry of their own.

    What each request adds is counted by `settle`, a moment later: it is called before the registry is shown.
    """

    def __init__(self, views: Sequence[str], groups: Sequence[str]) -> None:
        self._uncounted = Uncounted()
        registry = self.registry = CollectorRegistry()
        self._requests = Counter(
            "serving_requests",
            "Answers by HTTP status, and by type of problem where there is no prediction.",
            ["view", "status", "problem"],
            registry=registry,
        )
        latency = BatchHistogram(
            "serving_request_seconds",
            "Seconds from the body of a request to its answer.",
            ["view"],
            buckets=_LATENCY_S,
            registry=registry,
        )
        self._features_requests = Counter(
            "serving_features_requests",
            "Answers to requests for features alone, by HTTP status, and by type of problem where there are none. "
            "of: the view or the group.",
            ["of", "status", "problem"],
            registry=registry,
        )
        self._features_latency = Histogram(
            "serving_features_request_seconds",
            "Seconds from the body of a request for features alone to its answer.",
            ["of"],
            buckets=_LATENCY_S,
            registry=registry,
        )
        self._online_read = BatchHistogram(
            "serving_online_read_seconds",
            "Seconds of a round trip to the online store.",
            buckets=_LATENCY_S,
            registry=registry,
        )
        self._batch = BatchHistogram(
            "serving_batch_instances",
            "Instances read in one round trip to the online store.",
            buckets=_BATCH,
            registry=registry,
        )
        age = BatchHistogram(
            "serving_feature_age_seconds",
            "Seconds from the newest event of an entity to as_of.",
            ["group"],
            buckets=_AGE_S,
            registry=registry,
        )
        missing = Counter(
            "serving_missing_entities", "Entities without a state in the online store.", ["group"], registry=registry
        )
        unreadable = Counter(
            "serving_unreadable_states",
            "Instances whose stored state, or the meta of its shard, could not be read.",
            ["group"],
            registry=registry,
        )
        self._degraded = Counter(
            "serving_degraded_answers", "Answers made without some stored features.", ["view"], registry=registry
        )
        self._unseen = Counter(
            "serving_unseen_categories",
            "Values of a category that the model was not trained on: they score as missing ones.",
            ["view", "feature"],
            registry=registry,
        )
        self._dropped_spans = Counter(
            "serving_dropped_spans", "Spans of traces that the collector did not take in time.", registry=registry
        )
        self._model = Gauge(
            "serving_model_info",
            "1 for the model version that answers.",
            ["view", "model", "version"],
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._refused = Counter(
            "serving_refused_models", "Published versions that were not loaded.", ["view"], registry=registry
        )
        self._freshness = Gauge(
            "serving_freshness_seconds",
            "Seconds since the arrival up to which all shards of a group have applied their events. "
            "Infinite while one of them cannot be used.",
            ["group"],
            multiprocess_mode="livemostrecent",
            registry=registry,
        )
        self._refused_info = Gauge(
            "serving_refused_model_info",
            "1 while an alias names a version that was not loaded. reason: kind of error.",
            ["view", "model", "version", "reason"],
            multiprocess_mode="livemax",
            registry=registry,
        )
        for view in views:
            self._degraded.labels(view)
        self._latency = {view: latency.labels(view) for view in views}
        self._age = {group: age.labels(group) for group in groups}
        self._missing = {group: missing.labels(group) for group in groups}
        self._unreadable = {group: unreadable.labels(group) for group in groups}
        self._answered = {view: self._requests.labels(view, "200", "") for view in views}
        self._loaded: dict[str, tuple[str, str, str]] = {}

    def answered(self, view: str, status: int, seconds: float, problem: str = "") -> None:
        """One request was answered. `view` is the empty text for an unknown view. problem: the name of its type."""
        if status == 200:
            self._see(Answered(view, seconds))
            return
        self._requests.labels(view, str(status), problem).inc()
        if view:
            self._latency[view].observe(seconds)

    def features_answered(self, of: str, status: int, seconds: float, problem: str = "") -> None:
        """One request for features alone was answered. `of` is the empty text for an unknown view or group."""
        self._features_requests.labels(of, str(status), problem).inc()
        if of:
            self._features_latency.labels(of).observe(seconds)

    def online_read(self, instances: int, seconds: float) -> None:
        """One round trip to the online store read features for this many instances."""
        self._see(RoundTrip(instances, seconds))

    def rows_read(self, groups: Sequence[RowsOfGroup]) -> None:
        """One round trip found these ages of features, and these entities without a state or with an unreadable one."""
        for each in groups:
            self._see(each)

    def _see(self, observation: Observation) -> None:
        if self._uncounted.add(observation):
            self.settle()

    def settle(self) -> None:
        """Count what was seen. For any thread."""
        seen = self._uncounted.take()
        for view, seconds in seen.answered_s.items():
            self._answered[view].inc(len(seconds))
            self._latency[view].observe_all(seconds)
        for group, seconds in seen.ages_s.items():
            self._age[group].observe_all(seconds)
            self._missing[group].inc(seen.missing[group])
            self._unreadable[group].inc(seen.unreadable[group])
        self._batch.observe_all(seen.instances)
        self._online_read.observe_all(seen.reads_s)

    def degraded(self, view: str) -> None:
        """An answer was made without some stored features."""
        self._degraded.labels(view).inc()

    def dropped_spans(self, count: int) -> None:
        """So many spans of traces were lost."""
        self._dropped_spans.inc(count)

    def unseen_categories(self, view: str, feature: str, count: int) -> None:
        """So many values of a category were not among those that the model was trained on."""
        self._unseen.labels(view, feature).inc(count)

    def model_loaded(self, view: str, model: str, version: str) -> None:
        """Another model version answers from now on."""
        if view in self._loaded:
            self._model.labels(*self._loaded[view]).set(0)
        self._loaded[view] = (view, model, version)
        self._model.labels(view, model, version).set(1)

    def model_refused(self, view: str, model: str, version: str, reason: str) -> None:
        """A published version was not loaded."""
        self._refused.labels(view).inc()
        self._refused_info.labels(view, model, version, reason).set(1)

    def refusal_ended(self, view: str, model: str, version: str, reason: str) -> None:
        """The alias names this version no longer, or the version was loaded after all."""
        self._refused_info.labels(view, model, version, reason).set(0)

    def freshness(self, group: str, seconds: float) -> None:
        """How far the stored features of a group lag behind the clock now."""
        self._freshness.labels(group).set(seconds)
