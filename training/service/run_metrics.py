"""Prometheus metrics of runs, queues and schedules, read from the database when they are asked for.

So they survive a restart.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from shared_features.formats.model_manifest import CHAMPION
from training.registry.aliases import Aliases
from training.registry.versions import Registry
from training.scheduler.runs.run import Run
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.past_ticks import OUTCOMES, past_ticks
from training.scheduler.schedules.schedules import Schedules
from training.scheduler.workflow.run_states import ENDED, QUEUED, RUNNING

_NEWEST = 200


class RunMetrics(Collector):
    """What Prometheus scrapes."""

    def __init__(self, runs: Runs, registry: Registry) -> None:
        self._runs, self._registry = runs, registry

    def collect(self) -> Iterator[Metric]:
        yield from self._of_runs()
        yield from self._of_queues()
        yield from self._of_schedules()
        age = GaugeMetricFamily("training_champion_age_seconds", "Age of the champion.", labels=["model"])
        for model in self._registry.models():
            version = Aliases(self._registry).of(model).get(CHAMPION)
            if version is not None:
                age.add_metric([model], _since(self._registry.manifest(model, version).created_at_us / 1e6))
        yield age

    def _of_runs(self) -> Iterator[Metric]:
        newest, active = self._runs.newest(_NEWEST), self._runs.active()
        counts = Counter(run.status for run in (*(run for run in newest if run.status in ENDED), *active))
        number = GaugeMetricFamily(
            "training_runs", f"Runs by status; of those that have ended, among the newest {_NEWEST}.", labels=["status"]
        )
        took = GaugeMetricFamily("training_run_seconds", "How long the newest run of a status took.", labels=["status"])
        ended = GaugeMetricFamily(
            "training_run_end_timestamp_seconds", "When the newest run of a status ended.", labels=["status"]
        )
        age = GaugeMetricFamily(
            "training_oldest_active_run_seconds",
            "How long the oldest run of a status has waited for its turn, or has been done; 0: there is none.",
            labels=["status"],
        )
        for status in (QUEUED, RUNNING):
            age.add_metric([status], max((_since(_began_s(run)) for run in active if run.status == status), default=0))
        for status in (QUEUED, RUNNING, *ENDED):
            number.add_metric([status], counts[status])
            last = next((run for run in newest if run.status == status and run.ended_at_ms), None)
            if last is not None and last.ended_at_ms is not None:
                ended.add_metric([status], last.ended_at_ms / 1000)
                took.add_metric([status], (last.ended_at_ms - (last.began_at_ms or last.ended_at_ms)) / 1000)
        yield from (number, age, took, ended)

    def _of_queues(self) -> Iterator[Metric]:
        steps, workers = self._runs.queued_steps(), self._runs.workers()
        number = GaugeMetricFamily(
            "training_queue_steps",
            "Steps of a queue. state: waiting for a worker, or running.",
            labels=["queue", "state"],
        )
        age = GaugeMetricFamily(
            "training_queue_oldest_step_seconds",
            "How long the oldest step of a queue has waited for a worker; 0: none waits.",
            labels=["queue"],
        )
        living = GaugeMetricFamily("training_queue_workers", "Workers of a queue that live.", labels=["queue"])
        for queue in sorted({each.queue for each in steps} | {name for each in workers for name in each.queues}):
            waiting = [each for each in steps if each.queue == queue and each.worker is None]
            done = [each for each in steps if each.queue == queue and each.worker is not None]
            number.add_metric([queue, "waiting"], len(waiting))
            number.add_metric([queue, "running"], len(done))
            age.add_metric([queue], max((_since(each.since_ms / 1000) for each in waiting), default=0))
            living.add_metric([queue], sum(queue in each.queues for each in workers))
        yield from (number, age, living)

    def _of_schedules(self) -> Iterator[Metric]:
        following = GaugeMetricFamily(
            "training_schedule_next_tick_timestamp_seconds", "Next tick of a schedule.", labels=["schedule"]
        )
        last = GaugeMetricFamily(
            "training_schedule_last_tick_timestamp_seconds",
            "Last tick of a schedule with an outcome: started a run, skipped, or failed.",
            labels=["schedule", "outcome"],
        )
        late = GaugeMetricFamily(
            "training_schedule_late_seconds",
            "How long a tick of a schedule is due that has not fired; 0: none is.",
            labels=["schedule"],
        )
        for each in Schedules(self._runs.client).all():
            name, now = each.schedule.name, datetime.now(UTC)
            if each.next_tick is not None:
                following.add_metric([name], each.next_tick.timestamp())
                due = each.due(now)
                late.add_metric([name], 0 if due is None else _since(due.timestamp()))
            newest = {tick.outcome: tick.at for tick in reversed(past_ticks(self._runs.client, name))}
            for outcome in OUTCOMES:
                if outcome in newest:
                    last.add_metric([name, outcome], newest[outcome].timestamp())
        yield from (following, last, late)


def _began_s(run: Run) -> float:
    """Since when it waits, or is done."""
    waits = run.status == QUEUED or run.began_at_ms is None
    return datetime.fromisoformat(run.asked_at).timestamp() if waits else (run.began_at_ms or 0) / 1000


def _since(at_s: float) -> float:
    """Seconds; never below 0, where a clock jumped back."""
    return max(0.0, time.time() - at_s)


def metrics_router(runs: Runs, registry: Registry) -> APIRouter:
    collected = CollectorRegistry()  # asks nothing of the database when it is registered: RunMetrics has no `describe`
    collected.register(RunMetrics(runs, registry))
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(collected), media_type=CONTENT_TYPE_LATEST)

    return router
