"""The table of the prediction log has each record once, however often it comes, and both of two that differ."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import polars
import pytest

from shared_features.formats.prediction_log import LoggedPrediction, erased, prediction_source, record_id
from streaming.archive.stored_log import Marked
from streaming.archive.stored_predictions import StoredPredictions
from streaming.operations.erasure.stores.logged_predictions import LoggedPredictions
from streaming.operations.erasure.subjects.subject import Subject
from tests.shared_features.formats.test_prediction_log import LOGGED
from tests.streaming.kafka_log import TOPIC_ID, KafkaLog, Record
from tests.streaming.operations.stored_world import START_US
from tests.streaming.small_domain import PAYER

LOG = prediction_source("predictions")
REQUEST = '{"instances":[{"payer":%d,"shop":"s","amount":1.5}]}'


def logged(number: int, instance: str = "a", payer: int = 1, **changed: Any) -> LoggedPrediction:
    record = {"id": record_id(instance, number), "instance": instance, "counter": number, "request": REQUEST % payer}
    return msgspec.structs.replace(LOGGED, **record, **changed)


class Archived:
    """A log, and the table that an archive makes of it. A new archive begins at each `take`, if it is told so."""

    def __init__(self, lake: Path) -> None:
        self.lake, self.log = lake, KafkaLog({LOG.name: LOG}, {LOG.name: 2})
        self.at = dict.fromkeys(self.log.all(), -1)
        self.restart()

    def restart(self) -> None:
        self.stored = StoredPredictions(self.lake, LOG, self.log.topics)

    def take(self, *records: LoggedPrediction, partition: int = 0) -> int:
        """How many rows were added."""
        key = (LOG.name, partition)
        self.log.of(key).extend(Record(START_US, msgspec.structs.asdict(each)) for each in records)
        polled, self.at[key] = self.log.poll(key, self.at[key]), len(self.log.of(key)) - 1
        return self.stored.take([Marked(polled)])

    def ids(self) -> list[str]:
        return polars.read_delta(str(self.lake / "events_prediction_log")).sort("kafka_offset")["id"].to_list()


@pytest.fixture
def archived(tmp_path: Path) -> Archived:
    return Archived(tmp_path)


@pytest.mark.parametrize("restarts", [False, True])
def test_a_record_that_comes_again_is_left_out(archived: Archived, restarts: bool) -> None:
    assert archived.take(logged(0), logged(1), logged(0), logged(0, "b")) == 3
    if restarts:
        archived.restart()
    assert archived.take(logged(2), logged(1), logged(2), logged(0, "b")) == 1
    assert archived.take(logged(1), logged(7), logged(3)) == 2
    assert archived.ids() == ["a-0", "a-1", "b-0", "a-2", "a-7", "a-3"]


@pytest.mark.parametrize("restarts", [False, True])
def test_an_altered_copy_hides_no_record_whichever_comes_first(archived: Archived, restarts: bool) -> None:
    forged = logged(4, scores="[0.5]")
    assert archived.take(forged, logged(5)) == 2
    if restarts:
        archived.restart()
    assert archived.take(logged(4), logged(5, scores="[0.5]")) == 2
    assert archived.take(logged(4), forged) == 0
    assert archived.ids() == ["a-4", "a-5", "a-4", "a-5"]


def test_what_was_erased_does_not_come_back(archived: Archived) -> None:
    archived.take(logged(0, payer=77), logged(1, payer=5))
    erasure = LoggedPredictions(archived.lake, [Subject(PAYER.entity, ("77",), frozenset({"payer"}))], {}, None)
    assert erasure.erase() == 1
    assert archived.take(logged(0, payer=77), logged(2, payer=77)) == 1
    assert archived.take(erased(logged(0, payer=77))) == 0
    assert archived.ids() == ["a-0", "a-1", "a-2"]


def test_the_numbers_of_one_process_are_one_range(archived: Archived) -> None:
    numbers = count()
    for _ in range(3):
        archived.take(*(logged(next(numbers)) for _ in range(50)))
    assert [len(each) for each in archived.stored._known.values()] == [1]
    assert archived.stored.held()[(LOG.topic, TOPIC_ID, 0)] == 149
