"""A batch of columns holds the records that it is made of, and says which of them are not as they were written."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from shared_features.formats.prediction_log import LoggedPrediction, decode_record, encode_record
from tests.shared_features.formats.test_prediction_log import LOGGED
from training.inference.audit.log_batches.logged_batch import NAMES, LoggedBatch


def record(counter: int, **changed: Any) -> LoggedPrediction:
    return decode_record(encode_record(msgspec.structs.replace(LOGGED, counter=counter, **changed)))


def test_records_come_out_of_columns_as_they_went_in() -> None:
    records = [record(0), record(1, request='{"a":"é\\n"}', degraded=True), record(2, caller="")]
    batch = LoggedBatch.of(records)
    assert [batch.record(row) for row in range(3)] == records
    assert [batch.take(np.array([2, 0])).record(row) for row in range(2)] == [records[2], records[0]]
    assert batch.faulty.tolist() == [False] * 3
    assert len(LoggedBatch.of([])) == len(LoggedBatch.of([]).faulty) == 0


def test_of_the_values_of_a_file_a_batch_knows_its_own_alone() -> None:
    batch = LoggedBatch.of([record(0, caller="a"), record(1, caller="b"), record(2, caller="a")])
    assert batch.take(np.array([0, 2])).shared("caller").texts == ["a"]
    assert [some.tolist() for some in batch.alike(("caller", "model_version"), np.arange(3))] == [[0, 2], [1]]


@pytest.mark.parametrize("name", ["id", "counter", "degraded", "receipt", "digest", "view"])
def test_a_record_that_lacks_a_value_is_not_as_it_was_written(name: str) -> None:
    whole = LoggedBatch.of([record(0), record(1)])._batch
    column = whole.column(name)
    broken = pa.array([column[0].as_py(), None], column.type if name != "receipt" else pa.string())
    columns = [broken if each == name else whole.column(each) for each in NAMES]
    batch = LoggedBatch.of_file(pa.RecordBatch.from_arrays(columns, list(NAMES)))
    assert batch.faulty.tolist() == [False, True]
