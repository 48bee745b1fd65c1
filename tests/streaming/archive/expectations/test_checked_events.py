"""The checks see every event once, after its commit, and the table is the same with and without them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from shared_features import Expect
from shared_features.definitions import EventSource
from streaming.archive.expectations.arrived import Arrived, Reached
from streaming.archive.expectations.checked_events import CheckedEvents
from streaming.archive.stored_log import Marked, StoredEvents
from streaming.errors import RestartNeeded
from tests.streaming.kafka_log import KafkaLog, Record
from tests.streaming.small_domain import PAYMENTS

SOURCE = replace(PAYMENTS, expectations=(Expect("amount", low=1),))
ZERO, ONE = ("payments", 0), ("payments", 1)


class Seen:
    """In place of the checks: what they are shown."""

    def __init__(self, source: EventSource, since_us: int) -> None:
        self.since_us = since_us
        self.positions: list[tuple[int, int, int]] = []
        self.reached: list[Reached] = []

    def see(self, stored: Arrived) -> None:
        rows = zip(stored.offsets.tolist(), stored.arrived_us.tolist(), strict=True)
        assert len(stored.events) == len(stored)
        self.positions += [(stored.partition, offset, at) for offset, at in rows]

    def look(self, reached: Reached) -> None:
        self.reached.append(reached)


@pytest.fixture
def log() -> KafkaLog:
    log = KafkaLog({"payments": SOURCE}, {"payments": 2})
    for number in range(10):
        event = {"id": number, "event_time": number, "payer": 1, "shop": "a", "amount": 1}
        log.of(("payments", number % 2)).append(Record(10 * number, None if number == 4 else event))
    return log


def opened(lake: Path, log: KafkaLog) -> tuple[CheckedEvents, Seen]:
    shown: list[Seen] = []

    def build_checks(source: EventSource, since_us: int) -> Seen:
        shown.append(Seen(source, since_us))
        return shown[-1]

    return CheckedEvents(lake, SOURCE, log.topics, build_checks=build_checks), shown[0]


def test_each_event_is_seen_once_over_repeats_and_restarts(tmp_path: Path, log: KafkaLog) -> None:
    table, seen = opened(tmp_path, log)
    assert seen.since_us == -1
    table.take([Marked(log.poll(ZERO, -1, 2)), Marked(log.poll(ZERO, 0, 3))])
    table.take([Marked(log.poll(ONE, -1, 1), 45)])
    again, more = opened(tmp_path, log)
    assert more.since_us == 60
    again.take([Marked(log.poll(ZERO, 1)), Marked(log.poll(ONE, -1))])
    assert seen.positions == [(0, 0, 0), (0, 1, 20), (0, 3, 60), (1, 0, 10), (1, 1, 30)]
    assert more.positions == [(0, 4, 80), (1, 2, 50), (1, 3, 70), (1, 4, 90)]
    assert seen.reached == [Reached(-1, 60), Reached(45, 60)]
    assert more.reached == [Reached(80, 90)]


def test_nothing_is_seen_of_what_was_not_committed(tmp_path: Path, log: KafkaLog) -> None:
    table, seen = opened(tmp_path, log)
    with pytest.raises(RestartNeeded):
        table.take([Marked(log.poll(ZERO, -1, 1)), Marked(log.poll(ZERO, 3))])
    assert seen.positions == []
    table.take([Marked(log.poll(ZERO, -1, 1))])
    assert [offset for _, offset, _ in seen.positions] == [0, 1]


def test_what_is_stored_is_the_same_with_and_without_checks(tmp_path: Path, log: KafkaLog) -> None:
    checked, _ = opened(tmp_path / "checked", log)
    plain = StoredEvents(tmp_path / "plain", PAYMENTS, log.topics)
    for table in (checked, plain):
        table.take([Marked(log.poll(ZERO, -1)), Marked(log.poll(ONE, -1))])
    order = [("kafka_partition", "ascending"), ("kafka_offset", "ascending")]
    rows = [DeltaTable(table.handle.path).to_pyarrow_table().sort_by(order) for table in (checked, plain)]
    assert rows[0].equals(rows[1])
    assert checked.held() == plain.held()
