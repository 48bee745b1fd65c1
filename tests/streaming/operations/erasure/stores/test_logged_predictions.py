"""The rows of the prediction log about an entity lose their content, and keep their number: an audit finds no hole."""

from __future__ import annotations

import polars
import pytest

from shared_features.formats.prediction_log import is_altered, is_erased, logged_prediction, missing_counters
from streaming.lake.changes import purge
from streaming.operations.erasure.stores.logged_predictions import LoggedPredictions
from streaming.operations.erasure.subjects.subject import Subject
from tests.streaming.archive.test_stored_predictions import Archived, logged
from tests.streaming.small_domain import PAYER

GONE = [Subject(PAYER.entity, (key,), frozenset({"payer"})) for key in ("77", "78")]


@pytest.fixture
def archived(tmp_path):
    found = Archived(tmp_path)
    found.take(*(logged(number, payer=(5, 77, 6, 78)[number % 4]) for number in range(8)))
    found.take(*(logged(number, "b", payer=77) for number in range(3)), partition=1)
    return found


def rows(archived):
    return [
        logged_prediction(row)
        for row in polars.read_delta(str(archived.lake / "events_prediction_log")).sort("id").to_dicts()
    ]


def test_only_rows_below_the_ends_are_emptied_and_none_counts_as_altered(archived):
    erasure = LoggedPredictions(archived.lake, GONE, {"predictions": {0: 6, 1: 2}}, "predictions")
    assert erasure.count() == 5
    before = {each.id: each for each in rows(archived)}
    assert erasure.erase() == 5
    after = {each.id: each for each in rows(archived)}
    assert {name for name, each in after.items() if is_erased(each)} == {"a-1", "a-3", "a-5", "b-0", "b-1"}
    assert {name: each for name, each in after.items() if not is_erased(each)} == {
        name: each for name, each in before.items() if not is_erased(after[name])
    }
    assert not any(is_altered(each) for each in after.values() if is_erased(each))
    assert missing_counters(after.values()) == {}
    for each in after.values():
        assert not is_erased(each) or (each.instants, each.features, each.scores, each.receipt) == ("[]", "", "[]", "")
    assert (erasure.count(), erasure.erase()) == (0, 0)


def test_without_a_topic_every_row_is_looked_at_and_without_a_table_none(archived, tmp_path):
    assert LoggedPredictions(archived.lake, GONE, {}, None).count() == 7
    assert LoggedPredictions(archived.lake, GONE, {"payments": {0: 1}}, "predictions").count() == 7
    nothing = LoggedPredictions(tmp_path / "no lake", GONE, {}, None)
    assert (nothing.count(), nothing.erase(), nothing.tables) == (0, 0, [])


def test_no_file_of_the_table_holds_the_request_after_the_purge(archived):
    erasure = LoggedPredictions(archived.lake, GONE, {}, None)
    erasure.erase()
    for table in erasure.tables:
        purge(table)
    for file in archived.lake.rglob("*.parquet"):
        assert not any('"payer":7' in each for each in polars.read_parquet(file)["request"].to_list())
