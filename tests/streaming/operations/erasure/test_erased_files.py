"""Nothing of an erased entity stays on the disk: not in a compaction's file, not in what a `retire` set aside."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deltalake import DeltaTable

from streaming.lake import changes as delta_changes
from streaming.lake import compaction as maintenance
from tests.streaming.operations.erasure.test_command import GONE, STAYS, check_erased, commit_shards, stored
from tests.streaming.operations.stored_world import START_US, StoredWorld, payment

__all__ = ["stored"]
ERASE = ("erase", "--entity", "payer", "--key", str(GONE), "--execute")


@pytest.fixture
def crowded(stored: StoredWorld) -> StoredWorld:
    """Two files of events of one day, so that there is something to compact."""
    at = START_US + 1_000_000
    stored.send("payments", [(at, payment(9_000, at, GONE)), (at, payment(9_001, at, STAYS))])
    stored.archive()
    commit_shards(stored)
    return stored


@contextmanager
def compaction(path: Path, go_on: threading.Event) -> Iterator[None]:
    """One that has looked at the table, and rewrites it when it may."""
    begun = threading.Event()

    def run() -> None:
        with maintenance.alone(path) as mine:
            assert mine
            table = DeltaTable(path)
            begun.set()
            assert go_on.wait(60)
            table.optimize.compact()

    running = threading.Thread(target=run)
    running.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        go_on.set()
        running.join()


def left(world: StoredWorld) -> None:
    DeltaTable(world.lake / "events_payments").delete("id = 9001")
    DeltaTable(world.lake / "events_payments").vacuum(0, dry_run=False, enforce_retention_duration=False)
    check_erased(world)


def test_a_compaction_that_is_under_way_is_waited_for(crowded: StoredWorld) -> None:
    go_on = threading.Event()
    timer = threading.Timer(2, go_on.set)
    timer.start()
    with compaction(crowded.lake / "events_payments", go_on):
        crowded.run(*ERASE)
    timer.join()
    left(crowded)


def test_one_that_takes_long_is_named(crowded: StoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta_changes, "PATIENCE_S", 0.3)
    with compaction(crowded.lake / "events_payments", threading.Event()):
        said = crowded.run(*ERASE, code=1)
    assert (
        "Table events_payments cannot be changed while the archive compacts it. Run this again in a few minutes" in said
    )
    monkeypatch.undo()
    crowded.run(*ERASE)
    left(crowded)


def test_none_begins_while_a_table_is_changed(crowded: StoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    compacted = []

    def beside(path: Path) -> DeltaTable:
        compacted.append(maintenance.compact(path, 2))
        return DeltaTable(path)

    monkeypatch.setattr(delta_changes, "DeltaTable", beside)
    crowded.run(*ERASE)
    assert compacted
    assert not any(compacted)
    left(crowded)


def test_what_a_killed_retire_set_aside_goes(stored: StoredWorld) -> None:
    name, aside = "snapshots_payer_v1_on_payments", stored.lake / ".retired"
    aside.mkdir()
    (stored.lake / name).rename(aside / name)
    stored.run(*ERASE)
    assert not aside.exists()
