"""The log comes some records at a time, files with early arrivals first, whole or those with some numbers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl
import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.offline_tables import ARRIVAL_TIME
from shared_features.formats.prediction_log import LoggedPrediction
from tests.shared_features.formats.test_prediction_log import LOGGED
from training.datasets.offline_store import OfflineStore
from training.inference.audit.stored_log import StoredLog


def record(counter: int, instance: str = "a") -> LoggedPrediction:
    return msgspec.structs.replace(LOGGED, id=f"{instance}-{counter}", instance=instance, counter=counter)


def append(lake: Path, arrival_us: int, *records: LoggedPrediction, without: str = "") -> None:
    rows = [msgspec.structs.asdict(each) | {ARRIVAL_TIME: arrival_us} for each in records]
    frame = pl.DataFrame(rows).drop(without or [])
    frame.write_delta(str(lake / "events_prediction_log"), mode="append")


def test_files_with_early_arrivals_come_first_and_numbers_can_be_asked_for(tmp_path: Path) -> None:
    append(tmp_path, 2, record(2), record(3))
    append(tmp_path, 1, record(0), record(1), record(3, "b"))
    log = StoredLog(OfflineStore(tmp_path))
    append(tmp_path, 3, record(4))
    found = [some.record(row) for some in log.batches() for row in range(len(some))]
    assert found == [record(0), record(1), record(3, "b"), record(2), record(3)]  # those of the version it began with
    assert [each.id for each in log.numbered({"a": {1, 3}, "c": {0}})] == ["a-1", "a-3"]


def test_a_file_without_a_column_is_refused(tmp_path: Path) -> None:
    append(tmp_path, 1, record(0), without="receipt")
    with pytest.raises(FormatVersionError, match="has no column receipt"):
        list(StoredLog(OfflineStore(tmp_path)).batches())
