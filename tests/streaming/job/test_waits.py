"""What a process waits for is listed while it waits, and not a moment longer."""

import gc

import pytest
from structlog.testing import capture_logs

from streaming.job.outage import Outage
from streaming.job.waits import _WAITS, Wait, Waiting, waiting, waits
from streaming.log import get_log


@pytest.fixture(autouse=True)
def _nothing_of_other_tests() -> None:
    _WAITS.clear()


def clock_at(now_s: list[float]):
    return lambda: now_s[0]


def test_a_wait_is_listed_from_its_begin_to_its_end_with_its_newest_reason():
    now_s = [100.0]
    wait = Wait("waiting for Kafka", clock_at(now_s))
    wait.begin(error="timed out", topic="payments")
    now_s[0] = 107.5
    wait.begin(error="refused")
    assert waits() == [Waiting("waiting for Kafka", "error: refused", 7.5)]
    wait.end()
    wait.end()
    assert waits() == []


def test_the_longest_wait_comes_first():
    now_s = [1.0]
    for_long, for_short = Wait("for long", clock_at([5.0])), Wait("for short", clock_at(now_s))
    for_short.begin()
    for_long.begin()
    now_s[0] = 2.0
    for_long.since_s = 0.0
    assert [each.what for each in waits()] == ["for long", "for short"]


def test_an_outage_is_a_wait_while_it_lasts():
    lake = Outage(get_log("test"), "waiting for the lake", "reading the lake again", table="events")
    with capture_logs():
        lake.failed(reason="no such file")
        assert [(each.what, each.why) for each in waits()] == [
            ("waiting for the lake", "table: events, reason: no such file")
        ]
        lake.answered()
    assert waits() == []


def test_what_nobody_holds_any_more_is_not_waited_for():
    with capture_logs():
        Outage(get_log("test"), "waiting for Redis", "reached Redis again").failed()
    gc.collect()
    assert waits() == []


def test_a_wait_that_is_left_by_an_error_has_ended():
    try:
        with waiting("waiting for a shard"):
            assert [each.what for each in waits()] == ["waiting for a shard"]
            raise ValueError
    except ValueError:
        assert waits() == []
