"""Positions are read in one place: what was never written is -1, also where there is no table, and 0 is a position."""

from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from shared_features.formats.offline_tables import offset_app
from streaming.kafka.topics import Topic
from streaming.lake.stored_positions import NEVER, known_position, stored_offsets, stored_position

TOPIC = Topic("payments", "id", (0, 1, 2))


def table_at(path: Path, positions: dict[str, int]) -> DeltaTable:
    properties = CommitProperties(
        app_transactions=[Transaction(app_id=app, version=version) for app, version in positions.items()]
    )
    write_deltalake(path, pa.table({"number": [1]}), commit_properties=properties)
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
