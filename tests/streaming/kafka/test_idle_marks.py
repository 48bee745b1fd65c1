"""A mark promises that everything up to an instant was read. So it needs an answer of the partition's leader."""

from concurrent.futures import Future
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streaming.kafka import idle_marks
from streaming.kafka.brokers.topics import Topic
from streaming.kafka.consumed_partition import ConsumedPartition
from streaming.kafka.idle_marks import IdleMarks
from streaming.kafka.records.record_reader import RecordReader, StampRule
from streaming.kafka.stalls import Stalls
from tests.streaming.small_domain import PAYMENTS

NOW_US = 1_700_000_000_000_000
LAST = 4
AWAY = KafkaException(KafkaError(KafkaError._TIMED_OUT))


class Brokers:
    """They answer at once, with this offset or this error."""

    def __init__(self, answer: int | KafkaException) -> None:
        self.answer, self.renewed = answer, 0

    def ask_for_ends(self, partitions: list[tuple[str, int]]) -> dict[tuple[str, int], Future[Any]]:
        future: Future[Any] = Future()
        if isinstance(self.answer, int):
            future.set_result(SimpleNamespace(offset=self.answer))
        else:
            future.set_exception(self.answer)
        return dict.fromkeys(partitions, future)

    def renew(self) -> None:
        self.renewed += 1


def marks_of(brokers: Any) -> list[int | None]:
    partition = ConsumedPartition(Topic("payments", "id", (0,)), 0, RecordReader(PAYMENTS, StampRule("live")), LAST)
    partitions = {partition.key: partition}
    marks = IdleMarks(brokers, partitions, timedelta(0), lambda: NOW_US, Stalls(partitions))
    return [each.idle_until_us for _ in range(2) for each in marks.marks()]


def test_a_partition_that_was_read_to_its_end_is_marked():
    assert marks_of(Brokers(LAST + 1)) == [NOW_US]


@pytest.mark.parametrize("answer", [LAST + 2, -1001, AWAY], ids=["more records", "no leader answered", "an error"])
def test_a_partition_that_may_have_more_records_is_not_marked(answer):
    assert marks_of(Brokers(answer)) == []


@pytest.mark.parametrize("answer", [-1001, AWAY], ids=["no leader answered", "an error"])
def test_after_a_failure_a_new_client_asks(answer):
    brokers = Brokers(answer)
    marks_of(brokers)
    assert brokers.renewed == 1


def test_a_question_that_is_never_answered_is_asked_again_by_a_new_client(monkeypatch):
    monkeypatch.setattr(idle_marks, "NO_ANSWER_WITHIN_S", -1.0)
    brokers = Brokers(LAST + 1)
    monkeypatch.setattr(brokers, "ask_for_ends", lambda partitions: {each: Future() for each in partitions})
    assert marks_of(brokers) == []
    assert brokers.renewed == 1
