import numpy as np
import pytest

from shared_features.kernel.event_time import DAY_US, SECOND_US
from streaming.archive.marks import EMBEDDED_SLACK_US, Marks
from tests.streaming.kafka_log import KafkaLog, Record
from tests.streaming.small_domain import OUTCOMES, PAYMENTS

NOW = 1_700_000_000 * SECOND_US
LONG_AGO = NOW - 100 * DAY_US


@pytest.fixture
def log():
    return KafkaLog({"payments": PAYMENTS, "outcomes": OUTCOMES}, {"payments": 2, "outcomes": 1})


class Clock:
    def __init__(self) -> None:
        self.now_us = NOW

    def __call__(self) -> int:
        return self.now_us


def seen(log, stamp_us):
    log.records.clear()
    log.of(("payments", 0)).append(Record(stamp_us, None))
    return log.poll(("payments", 0), -1)


def idle(log, at_us):
    return log.poll(("outcomes", 0), -1, -1, idle_us=at_us)


def test_the_broker_stamps_what_it_appends_so_a_live_mark_is_the_clock_less_the_slack(log):
    marks = Marks("live", SECOND_US, Clock())
    assert marks.of(seen(log, NOW)) is None
    assert marks.of(idle(log, NOW)) == NOW - SECOND_US


def test_there_are_no_marks_while_anybody_may_import_any_old_time(log):
    marks = Marks("import", SECOND_US, Clock())
    marks.of(seen(log, LONG_AGO))
    assert marks.of(idle(log, NOW + DAY_US)) is None


def test_while_history_is_produced_an_idle_partition_is_not_marked_as_of_now(log):
    """A mark of now would raise all the history that follows to now."""
    clock = Clock()
    marks = Marks("embedded", SECOND_US, clock)
    assert marks.of(idle(log, NOW)) is None
    marks.of(seen(log, LONG_AGO))
    assert marks.of(idle(log, NOW + EMBEDDED_SLACK_US - 1)) is None
    assert marks.of(idle(log, NOW + EMBEDDED_SLACK_US)) == LONG_AGO


def test_after_history_marks_follow_the_clock(log):
    clock = Clock()
    marks = Marks("embedded", SECOND_US, clock)
    marks.of(seen(log, LONG_AGO))
    clock.now_us = present = NOW + 60 * SECOND_US
    marks.of(seen(log, present - SECOND_US))
    assert marks.of(idle(log, present + 5 * SECOND_US)) == LONG_AGO
    assert marks.of(idle(log, present + EMBEDDED_SLACK_US)) == present
    assert marks.of(idle(log, present + DAY_US)) == present + DAY_US - EMBEDDED_SLACK_US


@pytest.mark.parametrize("seed", range(30))
def test_no_embedded_mark_passes_a_record_that_is_still_to_come(log, seed):
    """One producer: stamps in order, first history at speed, then the present; each record is held back up to the
    slack before a fetch can see it, each partition on its own.
    """
    r = np.random.default_rng(seed)
    clock, stamp = Clock(), LONG_AGO
    marks = Marks("embedded", SECOND_US, clock)
    waiting: dict[int, list[tuple[int, int]]] = {0: [], 1: []}
    for _ in range(2_000):
        clock.now_us += int(r.integers(0, SECOND_US))
        if r.random() < 0.5:  # produce
            stamp = min(clock.now_us, stamp + int(r.integers(0, DAY_US)))
            if stamp > clock.now_us - DAY_US // 2:
                stamp = clock.now_us
            queue = waiting[int(r.integers(0, 2) if r.random() < 0.9 else 0)]
            seen_at = clock.now_us + int(r.integers(0, EMBEDDED_SLACK_US))
            queue.append((max(seen_at, queue[-1][0] if queue else 0), stamp))
        number = int(r.integers(0, 2))
        queue = waiting[number]
        asked_us = clock.now_us
        if queue and queue[0][0] <= clock.now_us:
            marks.of(seen(log, queue.pop(0)[1]))
        elif not queue or queue[0][0] > clock.now_us:
            mark = marks.of(log.poll(("payments", number), -1, -1, idle_us=asked_us))
            if mark is not None and queue:
                assert mark <= min(each[1] for each in queue)


def test_what_was_seen_does_not_pile_up(log):
    """Neither over a long history, in which stamps only grow, nor in years of the present."""
    clock = Clock()
    marks = Marks("embedded", SECOND_US, clock)
    for behind_us in (100 * DAY_US, 0):
        for _ in range(5_000):
            clock.now_us += SECOND_US
            marks.of(seen(log, clock.now_us - behind_us))
        assert len(marks._largest) < 1_500
    assert marks.of(idle(log, clock.now_us)) == clock.now_us - EMBEDDED_SLACK_US
