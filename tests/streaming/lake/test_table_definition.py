"""A table is for one definition: another is refused, with what changed, and columns that were added are added."""

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from streaming.errors import RefusedError
from streaming.lake.handle import DeltaHandle
from streaming.lake.table_definition import KEEP_REMOVED_HOURS, TABLE_SETTINGS
from streaming.replay.spine import Spine
from streaming.settings import load_settings
from tests.streaming import small_domain

SCHEMA = pa.schema([("number", pa.int64())])


def test_the_log_names_a_removed_file_until_maintenance_has_had_time_to_delete_it():
    """Named for as long as it is kept, one file in ten fell out of a checkpoint first, and stayed for ever."""
    _, hours, _ = TABLE_SETTINGS["delta.deletedFileRetentionDuration"].split()
    margin = timedelta(hours=int(hours) - KEEP_REMOVED_HOURS)
    assert margin >= 10 * load_settings().maintenance_interval


def test_a_table_of_another_definition_is_refused(tmp_path):
    DeltaHandle(tmp_path / "t", SCHEMA, fingerprint="one")
    DeltaHandle(tmp_path / "t", SCHEMA, fingerprint="one")
    with pytest.raises(RefusedError, match=r"another definition \(one; this process has two\)"):
        DeltaHandle(tmp_path / "t", SCHEMA, fingerprint="two")
    with pytest.raises(RefusedError, match="columns"):
        DeltaHandle(tmp_path / "t", pa.schema([("other", pa.int64())]), fingerprint="one")


def test_the_refusal_of_another_definition_names_what_changed(tmp_path):
    def open_as(group, lateness_s):
        spine = Spine(group, small_domain.PAYMENTS, lateness_s * 1_000_000)
        DeltaHandle(tmp_path / "t", SCHEMA, fingerprint=spine.fingerprint, definition=spine.definition)

    payer = small_domain.PAYER
    open_as(payer, 2)
    open_as(payer, 2)
    with pytest.raises(RefusedError, match=r"aggregates: time_since_last over 1 min was removed. Raise the group's"):
        open_as(replace(payer, aggregates=payer.aggregates[:-1]), 2)
    with pytest.raises(RefusedError, match="allowed lateness: 2 s -> 3 s"):
        open_as(payer, 3)


def test_a_table_from_before_definitions_were_kept_is_refused_as_then(tmp_path):
    DeltaHandle(tmp_path / "t", SCHEMA, fingerprint="one")
    with pytest.raises(RefusedError, match=r"the definition or the allowed lateness has changed\. Raise"):
        DeltaHandle(tmp_path / "t", SCHEMA, fingerprint="two", definition="{}")


def test_a_column_that_was_added_since_is_null_in_the_rows_that_are_there(tmp_path):
    DeltaHandle(tmp_path / "t", SCHEMA).commit(pa.table({"number": [1]}, SCHEMA), {"a": -1}, {"a": 0})
    wider = SCHEMA.append(pa.field("note", pa.string()))
    with pytest.raises(RefusedError, match="has other columns than this process writes"):
        DeltaHandle(tmp_path / "t", wider)
    handle = DeltaHandle(tmp_path / "t", wider, added=("note",))
    handle.commit(pa.table({"number": [2], "note": ["x"]}, wider), {"a": 0}, {"a": 1})
    found = pa.table(handle.refresh().scan()).to_pylist()
    assert sorted((each["number"], each["note"]) for each in found) == [(1, None), (2, "x")]
