"""An outage is said twice: when something becomes unavailable, and when it is back."""

import pytest
from structlog.testing import capture_logs

from streaming.job.outage import Outage
from streaming.log import get_log


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def outage(clock: Clock, settled_s: float = 0.0) -> Outage:
    return Outage(
        get_log("test"), "the lake is unavailable", "the lake is back", settled_s=settled_s, clock_s=clock, table="t"
    )


def test_it_is_said_once_when_it_begins_and_once_when_it_ends_with_how_long_it_took(clock: Clock):
    lake = outage(clock)
    with capture_logs() as lines:
        lake.answered()
        for number in range(3):
            lake.failed(reason=f"reason {number}")
            clock.now_s += 2.5
        lake.answered()
        lake.answered()
    assert [{**line, "part": ""} for line in lines] == [
        {"event": "the lake is unavailable", "log_level": "warning", "part": "", "table": "t", "reason": "reason 0"},
        {"event": "the lake is back", "log_level": "info", "part": "", "table": "t", "unavailable_s": 7.5},
    ]


def test_a_second_outage_is_said_again(clock: Clock):
    lake = outage(clock)
    with capture_logs() as lines:
        for _ in range(2):
            lake.failed()
            lake.answered()
    assert [line["event"] for line in lines] == ["the lake is unavailable", "the lake is back"] * 2


def test_an_answer_that_was_on_its_way_ends_nothing(clock: Clock):
    lake = outage(clock, settled_s=1.0)
    with capture_logs() as lines:
        lake.failed()
        clock.now_s += 0.9
        lake.answered()
        lake.failed()
        clock.now_s += 0.9
        lake.answered()
        assert len(lines) == 1
        clock.now_s += 0.2
        lake.answered()
    assert [line["event"] for line in lines] == ["the lake is unavailable", "the lake is back"]
    assert lines[1]["unavailable_s"] == 2.0
