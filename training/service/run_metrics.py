"""Prometheus metrics of runs, read from the database when they are asked for, so that they survive a restart."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from shared_features.formats.model_manifest import CHAMPION
from training.registry.aliases import Aliases
from training.registry.versions import Registry
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.schedules import Schedules
from training.scheduler.workflow.run_states import ENDED, QUEUED, RUNNING

_NEWEST = 200


class RunMetrics(Collector):
    """What Prometheus scrapes."""

    def __init__(self, runs: Runs, registry: Registry) -> None:
        self._runs, self._registry = runs, registry

    def collect(self) -> Iterator[Metric]:
        yield from self._of_runs()
        age = GaugeMetricFamily("training_champion_age_seconds", "Age of the champion.", labels=["model"])
        for model in self._registry.models():
            version = Aliases(self._registry).of(model).get(CHAMPION)
            if version is not None:
                age.add_metric([model], time.time() - self._registry.manifest(model, version).created_at_us / 1e6)
        yield age
        ticks = GaugeMetricFamily(
            "training_schedule_next_tick_timestamp_seconds", "Next tick of a schedule.", labels=["schedule"]
        )
        for each in Schedules(self._runs.client).all():
            if each.next_tick is not None:
                ticks.add_metric([each.schedule.name], each.next_tick.timestamp())
        yield ticks

    def _of_runs(self) -> Iterator[Metric]:
        runs = self._runs.newest(_NEWEST)
        counts = Counter(run.status for run in runs)
        number = GaugeMetricFamily("training_runs", f"Runs by status, of the newest {_NEWEST}.", labels=["status"])
        took = GaugeMetricFamily("training_run_seconds", "How long the newest run of a status took.", labels=["status"])
        ended = GaugeMetricFamily(
            "training_run_end_timestamp_seconds", "When the newest run of a status ended.", labels=["status"]
        )
        for status in (QUEUED, RUNNING, *ENDED):
            number.add_metric([status], counts[status])
            newest = next((run for run in runs if run.status == status and run.ended_at_ms), None)
            if newest is not None and newest.ended_at_ms is not None:
                ended.add_metric([status], newest.ended_at_ms / 1000)
                took.add_metric([status], (newest.ended_at_ms - (newest.began_at_ms or newest.ended_at_ms)) / 1000)
        yield from (number, took, ended)


def metrics_router(runs: Runs, registry: Registry) -> APIRouter:
    collected = CollectorRegistry()  # asks nothing of the database when it is registered: RunMetrics has no `describe`
    collected.register(RunMetrics(runs, registry))
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(collected), media_type=CONTENT_TYPE_LATEST)

    return router
