"""A look tells metrics what was found, and the log in one line a minute: positions, and no value."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from shared_features import Expect
from streaming.archive.expectations.arrived import Reached
from streaming.archive.expectations.expectation_metrics import ExpectationMetrics
from streaming.archive.expectations.source_checks import SourceChecks
from streaming.metrics import StreamingMetrics
from tests.streaming.archive.expectations.arrivals import payments
from tests.streaming.small_domain import PAYMENTS

FAR = Reached(10, 10)


class World:
    def __init__(self, *expectations: Expect) -> None:
        self.now_s = 0.0
        self.metrics = StreamingMetrics(0)
        source = replace(PAYMENTS, expectations=expectations)
        self.checks = SourceChecks(source, -1, 1, ExpectationMetrics(self.metrics), lambda: self.now_s)

    def value(self, name: str, expectation: str) -> float | None:
        labels = {"source": "payments", "expectation": expectation}
        return self.metrics.registry.get_sample_value(f"streaming_expectation_{name}", labels)

    def see(self, *amounts: int, note: str = "x") -> None:
        times = range(len(amounts))
        self.checks.see(payments(*times, amount=list(amounts), note=[note] * len(amounts)))


def test_metrics_count_checks_and_failures_of_each_expectation() -> None:
    world = World(Expect("amount", high=0.06), Expect("note", values=("x",)))
    world.see(5, 6, 7)
    world.checks.look(FAR)
    assert [world.value(name, "amount range") for name in ("checks_total", "failures_total", "met")] == [3, 1, 0]
    assert [world.value(name, "note values") for name in ("checks_total", "failures_total", "met")] == [3, 0, 1]
    world.now_s = 60
    world.see(5)
    world.checks.look(FAR)
    assert [world.value(name, "amount range") for name in ("checks_total", "failures_total", "met")] == [4, 1, 1]


@pytest.mark.parametrize(("warn", "level"), [(True, "warning"), (False, "error")])
def test_the_line_is_an_error_unless_everything_in_it_only_warns(warn: bool, level: str) -> None:
    world = World(Expect("amount", high=0, warn=warn), Expect("note", values=("y",), warn=True))
    world.see(5)
    with capture_logs() as lines:
        world.checks.look(FAR)
    (line,) = lines
    assert line["log_level"] == level
    assert (line["source"], line["topic"]) == ("payments", "payments")
    assert line["not_met"].startswith("amount to 0: 1 of 1 sampled event are outside, such as 0:0; note one of y: ")


def test_a_minute_has_one_line_and_a_value_is_never_in_it() -> None:
    world = World(Expect("note", values=("public",)))
    with capture_logs() as lines:
        for now_s in range(150):
            world.now_s = now_s
            world.see(*[5] * 10, note="secret")
            world.checks.look(FAR)
    assert len(lines) == 3
    assert "secret" not in str(lines)
    assert all(len(line["not_met"]) < 200 for line in lines)


def test_what_is_met_is_not_said() -> None:
    world = World(Expect("amount", low=0))
    world.see(5)
    with capture_logs() as lines:
        world.checks.look(FAR)
    assert lines == []
