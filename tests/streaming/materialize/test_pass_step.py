"""The lake goes away between a look at the log and the read of the data: waited for, like one that is gone before."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from structlog.testing import capture_logs

from streaming.lake.event_rows import EventRows
from streaming.lake.events_reader import EventsReader
from streaming.lake.scan import scanned
from streaming.materialize.cut_source import Cut
from streaming.materialize.pass_step import PassStep
from streaming.replay.snapshots import UNREADABLE, Snapshot
from streaming.replay.spine import Spine
from tests.streaming.materialize.world import LATENESS, Materializer, World
from tests.streaming.small_domain import PAYER, PAYMENTS


def test_a_pass_under_which_it_goes_is_made_again_once_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = tmp_path / "lake"
    lake.mkdir()
    world = World(lake, seed=1)
    for _ in range(200):
        world.produce()
    for _ in range(30):
        world.archive()
    spine, table = Spine(PAYER, PAYMENTS, LATENESS), EventsReader(lake, PAYMENTS)
    to_us = table.refresh()
    assert to_us > 0
    back = threading.Timer(0.3, lambda: (tmp_path / "elsewhere").rename(lake))
    where, gone = table.where, threading.Event()

    def goes(low_us: int, high_us: int, condition: str | None = None) -> EventRows:
        if not gone.is_set():
            gone.set()
            lake.rename(tmp_path / "elsewhere")
            back.start()
        return where(low_us, high_us, condition)

    monkeypatch.setattr(table, "where", goes)
    rows, _ = PassStep(world.settings, {spine.label: spine}, {"payments": table}).on_batch(
        [Cut(spine.label, -1, to_us)]
    )
    back.join()
    assert rows[0].rows is not None
    assert rows[0].rows.num_rows > 0


def test_a_snapshot_that_cannot_be_read_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, seed=1)
    spine = next(each for each in world.spines if each.group == PAYER)
    for _ in range(200):
        world.produce()
    for _ in range(30):
        world.archive()
    owner = Materializer(world, spine)
    owner.step(snapshot=True)
    for _ in range(100):
        world.produce()
    for _ in range(30):
        world.archive()
    tables = {source.name: EventsReader(tmp_path, source) for source in spine.sources}
    to_us = min(table.refresh() for table in tables.values())
    assert to_us > owner.stored
    states, read = Snapshot.states, []

    def damaged(self: Snapshot) -> Iterator[tuple[list[int | str], list[bytes]]]:
        for keys, found in states(self):
            read.append(len(keys))
            yield keys, [*found[:-1], found[-1][:-1]]

    def rows() -> list[str]:
        step = PassStep(world.settings, {spine.label: spine}, tables)
        found = step.on_batch([Cut(spine.label, owner.stored, to_us)])[0][0].rows
        assert found is not None
        return sorted(map(repr, found.to_pylist()))

    whole = rows()
    monkeypatch.setattr(Snapshot, "states", damaged)
    with capture_logs() as lines:
        assert rows() == whole
    assert read
    assert UNREADABLE in [line["event"] for line in lines]


@pytest.fixture
def table(tmp_path: Path) -> DeltaTable:
    for number in range(3):
        write_deltalake(tmp_path / "t", pa.table({"number": [number]}), mode="append")
    return DeltaTable(tmp_path / "t")


def numbers(table: DeltaTable, condition: str = "number >= 0") -> list[int]:
    return sorted(row for batch in scanned(table, ["number"], condition) for row in batch["number"].to_pylist())


def test_a_missing_file_is_the_lakes_fault(tmp_path: Path, table: DeltaTable) -> None:
    assert numbers(table) == [0, 1, 2]
    next((tmp_path / "t").glob("*.parquet")).unlink()
    with pytest.raises(OSError, match=r"not found.*\.parquet|\.parquet.*not found"):
        numbers(table)


def test_a_file_that_is_cut_off_and_a_wrong_question_are_not(tmp_path: Path, table: DeltaTable) -> None:
    with pytest.raises(Exception, match="No field named other") as raised:
        numbers(table, "other = 1")
    assert not isinstance(raised.value, OSError)
    next((tmp_path / "t").glob("*.parquet")).write_bytes(b"PAR1")
    with pytest.raises(pa.ArrowInvalid):
        numbers(table)
