"""The page of metrics, from what the services expose after one observation of each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from serving.endpoints.metrics_endpoint import exposition
from serving.metrics import Metrics
from serving.models.challenger_metrics import ChallengerMetrics
from serving.prediction_log.log_metrics import LogMetrics
from streaming.archive.expectations.expectation_metrics import ExpectationMetrics
from streaming.archive.expectations.finding import Finding
from streaming.metrics import StreamingMetrics
from streaming.scores.score_metrics import ScoreMetrics
from tests.docs.reference.table import code, table
from training.registry.versions import Registry
from training.scheduler.runs.run import Run
from training.service.run_metrics import RunMetrics

HEAD = """\
# Metrics

In Prometheus' text format. The programs of the stream job answer on `MILLRACE_METRICS_PORT`, one port per process. The
endpoint answers at `/metrics`, for all its workers, and so does `python -m training serve`. A histogram has the
suffixes `_bucket`, `_sum` and `_count`.
[Operations](../operations.md) says which ones to look at.
"""


def page() -> str:
    text = HEAD
    for title, families in (
        ("Stream job", streaming_families()),
        ("Endpoint", serving_families()),
        ("Training runs", training_families()),
    ):
        rows = [(code(_name(each)), each.type, _labels(each), each.documentation) for each in families]
        text += f"\n## {title}\n\n{table(('metric', 'type', 'labels', 'what it is'), sorted(rows))}"
    return text


def streaming_families() -> list[Metric]:
    metrics = StreamingMetrics(allowed_lateness_us=600_000_000)
    metrics.read("a", np.array([700_000_000]), dead=1, missing=1)
    metrics.applied("a", "a", (1, 1, 1))
    metrics.loaded("a", 1)
    metrics.committed("a", "a/0", 1, 0.1, 1)
    ScoreMetrics(metrics).scored("a", 1, 1, 1)
    ExpectationMetrics(metrics).found("a", Finding("a", "a", "a", met=True, warn=False, checks=1, failures=0))
    return list(metrics.registry.collect())


def serving_families() -> Iterable[Metric]:
    metrics = Metrics(["a"], ["a"])
    metrics.online_read(1, 0.1)
    metrics.answered("a", 200, 0.1)
    metrics.model_loaded("a", "a", "1")
    metrics.model_refused("a", "a", "1", "a")
    metrics.unseen_categories("a", "a", 1)
    metrics.freshness("a", 1.0)
    metrics.features_answered("a", 200, 0.1)
    LogMetrics(metrics.registry).dropped("a")
    compared = ChallengerMetrics(metrics.registry)
    compared.compared("a", "a", "1")
    compared.scored("a", 0.1, same_decision=True)
    families = text_string_to_metric_families(exposition(metrics).decode())
    return [each for each in families if not each.name.endswith("_created")]  # when a counter began: of the library


def training_families() -> Iterable[Metric]:
    """Of a run that ended, without a model, a queue and a schedule."""
    run = Run("a", "succeeded", "retrain", {}, "", "", "", began_at_ms=1, ended_at_ms=2)
    runs: Any = SimpleNamespace(
        newest=lambda limit: [run],
        active=list,
        queued_steps=list,
        workers=list,
        client=SimpleNamespace(list_schedules=list),
    )
    return list(RunMetrics(runs, Registry(Path("none"))).collect())


def _name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _labels(family: Metric) -> str:
    names = {name for sample in family.samples for name in sample.labels if name != "le"}
    names |= set(getattr(family, "_labelnames", ()))
    if not names and not family.samples:
        raise ValueError(f"{family.name} was not observed: observe it once in {__name__}")
    return ", ".join(code(name) for name in sorted(names))
