"""A run that ended is one trace, and what a collector does not take fails no run."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.serving.tracing.collector import Collector, collecting
from training.runs.records.run_trace import tell_traces
from training.settings import load_settings
from training.steps.run_journal import FAILED, SUCCEEDED, Journal, StepEntry, write_journal

TRACED = load_settings().model_copy(update={"traces": True})
JOURNAL = Journal(
    {}, {}, 1_000_000, status=SUCCEEDED, ended_at_us=1_000_000,
    steps={
        "dataset": StepEntry("run", "40 rows", 1.5, "new", ended_at_us=4_000_000),
        "fit": StepEntry("skipped", "a secret", 0.25, "same", ended_at_us=4_500_000),
    },
)  # fmt: skip


def names() -> list[str]:
    return ["dataset", "fit", "evaluate", "export"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "breakdown" / "2026-01-01"
    folder.mkdir(parents=True)
    write_journal(folder, JOURNAL)
    return folder


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield found


def test_a_run_is_a_span_and_each_of_its_steps_is_one_below_it(run: Path, collector: Collector) -> None:
    tell_traces(TRACED, run, names)
    (root,) = collector.wait_for("training run")
    assert root.facts == {
        "millrace.view": "breakdown", "millrace.run": "2026-01-01", "millrace.template": "retrain",
    }  # fmt: skip
    assert (root.began_ns, root.ended_ns, root.is_error) == (10**9, 4_500_000_000, False)
    steps = [(each.name, each.began_ns, each.ended_ns, each.facts) for each in collector.below(root)]
    assert steps == [
        ("dataset", 2_500_000_000, 4_000_000_000, {"millrace.step.done": "run"}),
        ("fit", 4_250_000_000, 4_500_000_000, {"millrace.step.done": "skipped"}),
    ]
    assert collector.service == "millrace-training"
    assert b"secret" not in collector.raw


def test_a_run_that_failed_shows_at_which_step_and_no_text_and_a_trace_sent_twice_is_one(
    run: Path, collector: Collector
) -> None:
    write_journal(run, replace(JOURNAL, status=FAILED, error="12 rows of somebody"))
    for _ in range(2):
        tell_traces(TRACED, run, names)
    first, second = collector.wait_for("training run", 2)
    assert first.is_error
    assert (first.trace, first.id) == (second.trace, second.id)
    assert len({each.id for each in collector.seen}) == 4
    failed = collector.wait_for("evaluate", 2)[0]
    assert (failed.parent, failed.began_ns, failed.is_error) == (first.id, 4_500_000_000, True)
    assert first.ended_ns >= failed.ended_ns > failed.began_ns
    assert b"somebody" not in collector.raw


def test_a_collector_that_cannot_be_reached_is_said_in_the_log(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as gone:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", gone.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with capture_logs() as lines:
        tell_traces(TRACED, run, names)
    assert [line["event"] for line in lines] == ["sending no trace of the run"]


def test_without_the_extra_the_log_says_what_to_install(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with capture_logs() as lines:
        tell_traces(TRACED, run, names)
        tell_traces(load_settings(), run, names)  # which asks for none
    (line,) = lines
    assert "Install the extra `millrace[otel]`" in line["reason"]
