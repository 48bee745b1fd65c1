"""Rows wait for a commit no longer than its interval. Marks alone wait longer: a commit of them costs as much."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from streaming.archive.gather import Gather
from streaming.archive.stored_log import Marked
from tests.streaming.kafka_log import KafkaLog, Record
from tests.streaming.small_domain import PAYMENTS

EVERY = timedelta(seconds=10)


@pytest.fixture
def log() -> KafkaLog:
    log = KafkaLog({"payments": PAYMENTS}, {"payments": 1})
    event = {"id": 1, "event_time": 1, "payer": 1, "shop": "a", "amount": 1}
    log.of(("payments", 0)).extend([Record(1, event)] * 6)
    return log


@contextmanager
def makes_due_in(gather: Gather, wanted: timedelta) -> Iterator[None]:
    """What the block gathers is due so long after it was gathered, however slow this process is."""
    before = datetime.now(UTC)
    yield
    due = gather.notify_at()
    assert due is not None
    assert before + wanted <= due <= datetime.now(UTC) + wanted


def mark(log: KafkaLog) -> Marked:
    return Marked(log.poll(("payments", 0), -1, -1), 5)


def rows(log: KafkaLog, after: int, to: int) -> Marked:
    return Marked(log.poll(("payments", 0), after, to))


def test_marks_alone_wait_three_times_as_long(log):
    gather = Gather(EVERY, 100)
    with makes_due_in(gather, 3 * EVERY):
        assert gather.on_batch([mark(log)])[0] == []
    first = gather.notify_at()
    gather.on_batch([mark(log)])
    assert gather.notify_at() == first, "later marks do not put it off"


@pytest.mark.parametrize(("every_s", "wanted_s"), [(0.5, 1.5), (10, 30), (20, 30), (60, 60)])
def test_but_no_longer_than_half_a_minute_since_an_erasure_waits_for_it(every_s, wanted_s, log):
    gather = Gather(timedelta(seconds=every_s), 100)
    with makes_due_in(gather, timedelta(seconds=wanted_s)):
        gather.on_batch([mark(log)])


def test_the_first_row_makes_what_is_held_due_and_a_later_one_does_not_put_it_off(log):
    gather = Gather(EVERY, 100)
    gather.on_batch([mark(log)])
    with makes_due_in(gather, EVERY):
        gather.on_batch([rows(log, -1, 1)])
    first = gather.notify_at()
    gather.on_batch([rows(log, 1, 3)])
    assert gather.notify_at() == first
    ((held,), _) = gather.on_notify()
    assert [each.records for each in held] == [0, 2, 2]
    assert gather.notify_at() is None


def test_enough_rows_do_not_wait(log):
    gather = Gather(EVERY, 4)
    assert gather.on_batch([rows(log, -1, 1)])[0] == []
    ((held,), _) = gather.on_batch([rows(log, 1, 3)])
    assert [each.records for each in held] == [2, 2]
