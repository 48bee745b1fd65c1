"""What is on disk when power is lost: nothing below an acknowledged commit may be missing, and what tore is named."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from streaming.errors import RefusedError
from streaming.lake import log_files as delta_log
from streaming.lake.handle import DeltaHandle
from streaming.lake.log_files import sync_commit
from streaming.lake.tables import DeltaTables

SCHEMA = pa.schema([("number", pa.int64())])


@pytest.fixture
def synced(monkeypatch):
    """The paths that were forced to disk."""
    found: list[Path] = []
    real = delta_log.sync_path

    def noted(path: Path) -> None:
        found.append(path)
        real(path)

    monkeypatch.setattr(delta_log, "sync_path", noted)
    return found


def lose_power(table: Path, synced: list[Path]) -> list[str]:
    """What a disk may do: a file that was never forced to it comes back empty. Returns which ones did."""
    lost = [path for path in sorted(table.rglob("*")) if path.is_file() and path not in synced]
    for path in lost:
        path.write_bytes(b"")
    return [path.name for path in lost]


def commit(handle: DeltaHandle, *of: int) -> None:
    for number in of:
        handle.commit(pa.table({"number": [number]}, SCHEMA), {"a": number - 1}, {"a": number})


def numbers(table: Path) -> list[int]:
    return sorted(pa.table(DeltaTable(table).scan())["number"].to_pylist())


class Killed(Exception):
    """Between a commit and its fsync."""


class KilledBeforeSync(DeltaTables):
    def __init__(self) -> None:
        self.at_work = False

    def sync(self, *given):
        if self.at_work:
            raise NotImplementedError from Killed()
        super().sync(*given)


def test_what_another_writer_committed_in_between_is_forced_to_disk_too(tmp_path, synced):
    handle = DeltaHandle(tmp_path / "t", SCHEMA)
    commit(handle, 0, 1)
    DeltaTable(tmp_path / "t").optimize.compact()
    commit(handle, 2)
    assert lose_power(tmp_path / "t", synced) == []


def test_what_a_killed_writer_left_is_forced_to_disk_before_its_successor_goes_on(tmp_path, synced):
    commit(DeltaHandle(tmp_path / "t", SCHEMA), 0)
    tables = KilledBeforeSync()
    killed = DeltaHandle(tmp_path / "t", SCHEMA, delta=tables)
    tables.at_work = True
    with pytest.raises(NotImplementedError):
        commit(killed, 1)
    successor = DeltaHandle(tmp_path / "t", SCHEMA)
    commit(successor, 2)
    assert lose_power(tmp_path / "t", synced) == []
    assert numbers(tmp_path / "t") == [0, 1, 2]


def test_a_change_of_several_commits_is_forced_to_disk_whole(tmp_path, synced):
    commit(DeltaHandle(tmp_path / "t", SCHEMA), 0, 1, 2)
    table = DeltaTable(tmp_path / "t")
    table.delete("number = 0")
    table.delete("number = 1")
    sync_commit(tmp_path / "t", table.version(), {})
    assert lose_power(tmp_path / "t", synced) == []


def test_an_ordinary_commit_forces_its_own_files_alone(tmp_path, synced):
    handle = DeltaHandle(tmp_path / "t", SCHEMA)
    commit(handle, *range(3))
    synced.clear()
    commit(handle, 3)
    assert len(synced) == len(set(synced)) == 4, "its rows, its JSON and their two directories"


def test_a_start_forces_the_commits_since_the_checkpoint_and_no_more(tmp_path, synced):
    commit(DeltaHandle(tmp_path / "t", SCHEMA), *range(130))
    synced.clear()
    DeltaHandle(tmp_path / "t", SCHEMA)
    assert 60 < len(synced) < 100


def test_files_that_were_removed_since_are_not_missed(tmp_path):
    handle = DeltaHandle(tmp_path / "t", SCHEMA)
    commit(handle, 0, 1)
    table = DeltaTable(tmp_path / "t")
    table.delete("number = 0")
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    commit(handle, 2)
    commit(DeltaHandle(tmp_path / "t", SCHEMA), 3)
    assert numbers(tmp_path / "t") == [1, 2, 3]


@pytest.mark.parametrize("tear", ["_delta_log/00000000000000000002.json", "*.parquet"])
def test_a_torn_commit_below_others_is_refused_and_can_be_dropped_with_them(tmp_path, tear):
    """Only the newest was looked at: the start went well, and rows of offsets that count as stored were gone."""
    handle = DeltaHandle(tmp_path / "t", SCHEMA)
    commit(handle, 0)
    before = set((tmp_path / "t").glob("*.parquet"))
    commit(handle, 1)
    (torn,) = set((tmp_path / "t").glob(tear)) - before
    commit(handle, 2)
    torn.write_bytes(b"")
    with pytest.raises(RefusedError, match=r"commit 2 is torn.*delete .*00000000000000000002\.json and .* 1 "):
        DeltaHandle(tmp_path / "t", SCHEMA)
    for version in (2, 3):
        (tmp_path / "t" / "_delta_log" / f"{version:020}.json").unlink()
    commit(DeltaHandle(tmp_path / "t", SCHEMA), 1)
    assert numbers(tmp_path / "t") == [0, 1]


def test_a_torn_checkpoint_is_refused_and_can_be_dropped(tmp_path):
    commit(DeltaHandle(tmp_path / "t", SCHEMA), *range(105))
    (checkpoint,) = (tmp_path / "t" / "_delta_log").glob("*.checkpoint.parquet")
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with pytest.raises(
        RefusedError, match=rf"{checkpoint.name} is truncated.*delete the checkpoint and the file _last_checkpoint"
    ):
        DeltaHandle(tmp_path / "t", SCHEMA)
    checkpoint.unlink()
    (tmp_path / "t" / "_delta_log" / "_last_checkpoint").unlink()
    assert DeltaHandle(tmp_path / "t", SCHEMA).position("a") == 104


def test_a_table_that_is_away_while_it_is_forced_to_disk_is_an_error_to_wait_on(tmp_path):
    commit(DeltaHandle(tmp_path / "t", SCHEMA), 0)
    shutil.move(tmp_path / "t", tmp_path / "away")
    with pytest.raises(OSError, match="No such file"):
        sync_commit(tmp_path / "t", 1, {})
