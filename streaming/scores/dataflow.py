"""The scores dataflow: Kafka, to the views that are scored, back to Kafka. Wiring only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from shared_features.definitions import load_definitions
from shared_features.kernel.event_time import to_us
from streaming.errors import RefusedError, RestartNeeded, StoppedWaiting
from streaming.job.bytewax_run import run_dataflow
from streaming.job.stopping import wait
from streaming.job.waits import waiting
from streaming.kafka.brokers.topics import PartitionKey
from streaming.kafka.records.polled import Polled, count_polled
from streaming.kafka.source import KafkaSource
from streaming.metrics import StreamingMetrics
from streaming.online_store.lease import Lease, job_name
from streaming.online_store.link import RedisLink
from streaming.scores.opened_view import ScoredView, scored_views
from streaming.scores.score_metrics import ScoreMetrics
from streaming.scores.score_sink import ScoreSink
from streaming.settings import StreamingSettings

_LOOK_EVERY_S = 0.25


def build_dataflow(settings: StreamingSettings, metrics: StreamingMetrics | None = None) -> Dataflow:
    """Input from Kafka, one item per view and poll, output to Kafka. Waits for the lease and for a first model."""
    metrics = metrics or StreamingMetrics(to_us(settings.allowed_lateness))
    if not settings.score_topics:
        raise RefusedError(
            "Nothing is to be scored. Set MILLRACE_SCORE_TOPICS to the views, and the topic of the scores of each"
        )
    views = scored_views(settings, load_definitions(settings.definitions))
    lease = Lease(RedisLink(settings), settings.redis_namespace, "scores", job_name(settings))
    lease.take()
    ready = _with_models(views, lease.keep)
    score_metrics = ScoreMetrics(metrics)
    opened = {each.name: each.open(score_metrics, lease.keep) for each in ready}
    waits_for = [each for each in views if each.name not in opened]

    def look() -> None:
        lease.keep()
        for each in waits_for:
            if each.model.current() is not None:
                raise RestartNeeded(f"view {each.name} has a model now")

    sources = {each.source.name: each.source for each in ready}
    source = KafkaSource(
        settings,
        sources.values(),
        partial(_smallest, ready),
        on_polled=partial(count_polled, metrics),
        each_time=look,
    )
    flow = Dataflow("scores")
    polled = op.input("kafka", flow, source)
    routed = op.flat_map("route", polled, partial(_route, ready))
    op.output("scores", routed, ScoreSink(opened))
    return flow


def run(settings: StreamingSettings) -> int:
    """Run to the end. Returns the exit code."""
    metrics = StreamingMetrics(to_us(settings.allowed_lateness))
    if settings.metrics_port is not None:
        metrics.serve(settings.metrics_port)
    return run_dataflow(settings, partial(build_dataflow, metrics=metrics))


def _with_models(views: Sequence[ScoredView], meanwhile: Callable[[], None]) -> list[ScoredView]:
    """The views that have a model, once there is one."""
    with waiting("waiting for a model of a view to score", views=", ".join(each.name for each in views)):
        while not (found := [each for each in views if each.model.current() is not None]):
            meanwhile()
            if wait(_LOOK_EVERY_S):
                raise StoppedWaiting("asked to stop before any view had a model")
    return found


def _smallest(views: Sequence[ScoredView]) -> dict[PartitionKey, int]:
    """Where to begin, for the view that is behind the others. The others leave out what they have scored."""
    found: dict[PartitionKey, int] = {}
    for view in views:
        for (topic, _, number), offset in view.positions.items():
            found[topic, number] = min(offset, found.get((topic, number), offset))
    return found


def _route(views: Sequence[ScoredView], polled: Polled) -> list[tuple[str, Polled]]:
    return [(view.name, polled) for view in views if view.source.name == polled.source.name]
