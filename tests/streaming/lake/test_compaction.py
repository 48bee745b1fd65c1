"""Compaction: Delta would take two of the same files, and double every row; ours never are two."""

import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow.parquet import ParquetFile

from shared_features.formats.offline_tables import ARRIVAL_DATE
from streaming.lake import compaction
from streaming.lake.compaction import compact, tend
from streaming.lake.tables import writer_properties


def rows(first: int, count: int) -> pa.Table:
    return pa.table({ARRIVAL_DATE: ["2026-01-01"] * count, "number": range(first, first + count)})


def numbers(table: Path) -> list[int]:
    found: list[int] = pa.table(DeltaTable(table).scan())["number"].to_pylist()
    return sorted(found)


def append(table: Path, first: int, count: int) -> None:
    write_deltalake(table, rows(first, count), mode="append", partition_by=[ARRIVAL_DATE])


def compact_until(table: Path, end_s: float) -> None:
    while time.time() < end_s:
        compact(table, crowded=2)


def test_delta_itself_takes_two_compactions_of_the_same_files(tmp_path: Path) -> None:
    for number in range(4):
        append(tmp_path / "t", number, 1)
    first, second = DeltaTable(tmp_path / "t"), DeltaTable(tmp_path / "t")
    first.optimize.compact()
    second.optimize.compact()
    assert numbers(tmp_path / "t") == [0, 0, 1, 1, 2, 2, 3, 3], "it refuses them by now: the lock may go"


def test_several_processes_that_compact_at_once_double_nothing(tmp_path: Path) -> None:
    table = tmp_path / "t"
    append(table, 0, 1)
    spawn, end_s = multiprocessing.get_context("spawn"), time.time() + 6
    workers = [spawn.Process(target=compact_until, args=(table, end_s)) for _ in range(3)]
    for worker in workers:
        worker.start()
    count = 1
    while time.time() < end_s:
        append(table, count, 1)
        count += 1
    for worker in workers:
        worker.join(60)
        assert worker.exitcode in (0, 1)  # 1: an append or another's work came first, which is said and tried again
    assert numbers(table) == list(range(count))


def test_a_lake_that_cannot_be_listed_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread goes on: a passing fault would end compaction and retention for the life of the archive."""

    def stale(self: Path, pattern: str) -> None:
        raise OSError("Stale file handle")

    for number in range(30):
        append(tmp_path / "t", number, 1)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "glob", stale)
        tend(tmp_path)
    tend(tmp_path)
    assert len(DeltaTable(tmp_path / "t").file_uris()) == 1


@pytest.mark.parametrize("days", [True, False])
def test_a_row_is_rewritten_once_per_tier_and_not_at_every_compaction(
    days: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of the present day grows. It was rewritten whole at each maintenance, for the few rows that had come."""
    monkeypatch.setattr(compaction, "TIERS", (10_000, 40_000, 160_000))
    table, r = tmp_path / "t", np.random.default_rng(1)
    for number in range(64):
        some = rows(0, 200).set_column(1, "number", pa.array(r.integers(0, 2**62, 200)))
        some = some if days else some.drop_columns([ARRIVAL_DATE])
        write_deltalake(table, some, mode="append", partition_by=[ARRIVAL_DATE] if days else None)
        if number % 4 == 3:
            compact(table, crowded=4)
    written = {True: 0, False: 0}
    for commit in (table / "_delta_log").glob("*.json"):
        for action in map(json.loads, commit.read_text().splitlines()):
            if "add" in action:
                written[action["add"]["dataChange"]] += action["add"]["size"]
    assert 0 < written[False] < 3.5 * written[True], "it was 8.5 times"
    assert len(DeltaTable(table).file_uris()) < 16
    assert DeltaTable(table).count() == 64 * 200


def test_a_table_is_opened_twice_for_its_maintenance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening reads the names of all files that were removed lately: 0.01 s at first, 0.03 s after four hours."""
    for number in range(30):
        append(tmp_path / "t", number, 1)
    opened: list[Path] = []

    def noted(path: Path) -> DeltaTable:
        opened.append(path)
        return DeltaTable(path)

    monkeypatch.setattr(compaction, "DeltaTable", noted)
    tend(tmp_path)
    assert len(opened) == 2
    assert len(DeltaTable(tmp_path / "t").file_uris()) == 1


def test_a_file_that_was_removed_leaves_the_disk_after_half_a_day_also_where_the_table_says_a_week(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables of earlier releases say so."""
    table = tmp_path / "t"
    for number in range(30):
        append(table, number, 1)
    DeltaTable(table).alter.set_table_properties({"delta.deletedFileRetentionDuration": "interval 7 days"})
    tend(tmp_path)
    assert len(list(table.glob("**/*.parquet"))) - len(list(table.glob("_delta_log/*.parquet"))) == 31
    monkeypatch.setattr(compaction, "KEEP_REMOVED_HOURS", 0)
    tend(tmp_path)
    assert len(list(table.glob("**/*.parquet"))) - len(list(table.glob("_delta_log/*.parquet"))) == 1


def test_compacted_values_lie_in_dictionaries_which_a_reader_decodes_in_half_the_time(tmp_path: Path) -> None:
    schema = pa.schema([("number", pa.int64()), ("value", pa.float64())])
    for number in range(2):
        written = pa.table({"number": [number] * 5, "value": [0.5, 1.5, 0.5, float("nan"), 0.5]}, schema)
        write_deltalake(tmp_path / "t", written, mode="append", writer_properties=writer_properties(schema))

    def encodings() -> list[tuple[str, ...]]:
        (group,) = [ParquetFile(file).metadata.row_group(0) for file in DeltaTable(tmp_path / "t").file_uris()[:1]]
        return [group.column(at).encodings for at in range(2)]

    assert not any("RLE_DICTIONARY" in each for each in encodings())
    assert compact(tmp_path / "t", crowded=2) == 2
    numbers_in, values_in = encodings()
    assert "RLE_DICTIONARY" in values_in
    assert "DELTA_BINARY_PACKED" in numbers_in
    assert numbers(tmp_path / "t") == [0] * 5 + [1] * 5
