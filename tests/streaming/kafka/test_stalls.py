"""When a consumer has to be replaced: its partition has more records for so long, and none of them came."""

from typing import Any

import pytest

from streaming.job.waits import _WAITS, waits
from streaming.kafka.brokers.topics import Topic
from streaming.kafka.consumed_partition import ConsumedPartition
from streaming.kafka.records.record_reader import RecordReader, StampRule
from streaming.kafka.stalls import Stalls
from tests.streaming.small_domain import PAYMENTS

LAST = 4


class World:
    """One partition, polled twice a second; its end is asked for every second."""

    def __init__(self) -> None:
        self.now_s = 100.0
        reader = RecordReader(PAYMENTS, StampRule("live"))
        self.partition = ConsumedPartition(Topic("payments", "id", (0,)), 0, reader, LAST)
        self.stalls = Stalls({self.partition.key: self.partition}, lambda: self.now_s)

    def run(self, seconds: float, end: int) -> list[float]:
        """When the consumer had to be replaced."""
        due: list[float] = []
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.stalls.note(self.partition.key, end)
            for _ in range(2):
                self.now_s += 0.5
                due += [self.now_s] * len(self.stalls.due())
        return [at_s - until_s + seconds for at_s in due]


@pytest.fixture
def world() -> World:
    _WAITS.clear()  # of other tests in this process
    return World()


def test_a_partition_that_was_read_to_its_end_may_be_quiet_for_ever(world: World):
    assert world.run(1_000, LAST + 1) == []
    assert waits() == []


def test_a_consumer_is_replaced_after_30_s_and_then_ever_more_rarely(world: World):
    assert world.run(1_500, LAST + 2) == [30.0, 90.0, 210.0, 450.0, 930.0]
    (wait,) = waits()
    assert (wait.what, wait.why) == (
        "waiting for records that the log has",
        "topic: payments, partition: 0, after_offset: 4",
    )
    assert wait.for_s == 1_470.0


def test_a_partition_that_is_read_though_slowly_is_not_stalled(world: World):
    due: list[Any] = []
    for _ in range(10):
        due += world.run(20, 1_000)
        world.partition.last += 1
    assert due == []


def test_records_end_the_stall_and_the_next_one_is_new(world: World):
    world.run(100, LAST + 2)
    world.partition.last += 1
    assert world.run(10, LAST + 2) == []
    assert waits() == []
    assert world.run(70, LAST + 9) == [30.0]


def test_a_process_that_did_not_poll_has_no_stall(world: World):
    world.run(29, LAST + 2)
    world.now_s += 600
    assert world.run(10, LAST + 2) == []
