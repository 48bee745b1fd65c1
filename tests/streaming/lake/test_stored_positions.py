"""Positions are read in one place: what was never written is -1, also where there is no table, and 0 is a position."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from shared_features.formats.offline_tables import offset_app
from streaming.kafka.brokers.topics import Topic
from streaming.lake.handle import DeltaHandle
from streaming.lake.stored_positions import NEVER, KnownPositions, known_position, stored_offsets, stored_position
from streaming.lake.tables import DELTA

NUMBERS = pa.schema([("number", pa.int64())])
TOPIC = Topic("payments", "id", (0, 1, 2))


def table_at(path: Path, positions: dict[str, int]) -> DeltaTable:
    write_deltalake(path, pa.table({"number": [1]}), commit_properties=writing(positions))
    return DeltaTable(path)


def test_a_position_that_was_never_written_is_minus_one_and_zero_is_a_position(tmp_path):
    table = table_at(tmp_path / "t", {"a": 0, "begun": NEVER})
    assert stored_position(table, "a") == 0
    assert stored_position(table, "b") == NEVER == -1
    assert stored_position(None, "a") == NEVER
    assert [known_position(table, app) for app in ("a", "b", "begun")] == [0, None, NEVER]


def test_the_last_offset_of_each_partition_of_this_topic(tmp_path):
    stored = {offset_app("payments", "id", 0): 0, offset_app("payments", "id", 2): 7, offset_app("payments", "x", 1): 9}
    assert stored_offsets(table_at(tmp_path / "t", stored), TOPIC) == {
        ("payments", 0): 0,
        ("payments", 1): NEVER,
        ("payments", 2): 7,
    }
    assert set(stored_offsets(None, TOPIC).values()) == {NEVER}


def test_a_position_is_read_once_per_version_and_again_after_a_commit_of_others(tmp_path, monkeypatch):
    read: list[str] = []
    monkeypatch.setattr("streaming.lake.stored_positions.stored_position", noted(read))
    table, known = table_at(tmp_path / "t", {"a": 3}), KnownPositions()
    assert [known.position(table, app) for app in ("a", "b", "a", "b")] == [3, NEVER, 3, NEVER]
    assert read == ["a", "b"]
    table_at_commits(tmp_path / "t", {"a": 4})
    assert known.position(table, "a") == 3  # as of the version at which the table was opened
    assert DELTA.update(table, tmp_path / "t")
    assert [known.position(table, app) for app in ("a", "b")] == [4, NEVER]
    assert not DELTA.update(table, tmp_path / "t")


def test_a_commit_compares_what_this_handle_itself_wrote_without_reading_it(tmp_path, monkeypatch):
    """The library reads the log for each position, 0.5 to 3 ms each: a commit of eight took longer to compare them."""
    read: list[str] = []
    handle = DeltaHandle(tmp_path / "t", NUMBERS)
    nothing = NUMBERS.empty_table()
    handle.commit(nothing, {"a": -1, "b": -1}, {"a": 0, "b": 0})
    monkeypatch.setattr("streaming.lake.stored_positions.stored_position", noted(read))
    for number in range(3):
        handle.commit(nothing, {"a": number, "b": number}, {"a": number + 1, "b": number + 1})
    assert read == []
    table_at_commits(tmp_path / "t", {"another": 1})
    handle.commit(nothing, {"a": 3, "b": 3}, {"a": 4, "b": 4})
    assert sorted(read) == ["a", "b"]
    assert [handle.position(app) for app in ("a", "b", "another")] == [4, 4, 1]


def test_a_commit_that_was_put_behind_one_of_others_leaves_no_position_of_the_past(tmp_path):
    """Commits of other positions do not conflict: the library writes ours behind them, one version later."""
    table, known = table_at(tmp_path / "t", {"a": 1, "other": 1}), KnownPositions()
    assert [known.position(table, app) for app in ("a", "other")] == [1, 1]
    before = table.version()
    table_at_commits(tmp_path / "t", {"other": 2})
    write_deltalake(table, pa.table({"number": [2]}), mode="append", commit_properties=writing({"a": 2}))
    known.wrote(table, before, {"a": 2})
    assert [known.position(table, app) for app in ("a", "other")] == [2, 2]


def test_a_table_whose_log_was_cleaned_is_not_taken_for_one_that_has_not_moved(tmp_path):
    table = table_at(tmp_path / "t", {"a": 0})
    for number in range(1, 4):
        table_at_commits(tmp_path / "t", {"a": number})
    DeltaTable(tmp_path / "t").create_checkpoint()
    for version in (0, 1):
        (tmp_path / "t" / "_delta_log" / f"{version:020}.json").unlink()
    assert DELTA.update(table, tmp_path / "t")
    assert stored_position(table, "a") == 3


def noted(read: list[str]) -> Callable[[DeltaTable, str], int]:
    def position(table: DeltaTable, app: str) -> int:
        read.append(app)
        return stored_position(table, app)

    return position


def writing(positions: dict[str, int]) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(app_id=app, version=at) for app, at in positions.items()])


def table_at_commits(path: Path, positions: dict[str, int]) -> None:
    """A commit of another process."""
    write_deltalake(path, pa.table({"number": [1]}), mode="append", commit_properties=writing(positions))
