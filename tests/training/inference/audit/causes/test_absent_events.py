"""What the lake lacks explains a difference where windows reach it, and where the shard did not lack it too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.transaction import Transaction

from shared_features.formats.offline_tables import (
    DEAD_LETTERS_TABLE,
    ERASURES_APP,
    KEPT_FROM_APP,
    gap_app,
    gaps_app,
    offset_app,
)
from shared_features.formats.receipt import AppliedPosition, ShardReceipt
from shared_features.formats.shard_meta import Gap, Partition, gaps_digest
from shared_features.kernel.event_time import DAY_US
from tests.domains.machines import HOT_PLANT, READINGS
from training.datasets.offline_store import OfflineStore
from training.inference.audit.causes.absent_events import AbsentEvents
from training.inference.audit.findings import DELETED_EVENTS, ERASED_EVENTS, LOST_EVENTS, UNARCHIVED_EVENTS

PLACE: Partition = (READINGS.topic, "id", 0)
GAP: Gap = (PLACE, 4, 6)
GAP_APPS = {gaps_app(*PLACE): 1, gap_app(*PLACE, 0, "first"): 4, gap_app(*PLACE, 0, "past"): 6}
IN_REACH_US, BEYOND_REACH_US = 8 * DAY_US, 30 * DAY_US


def cause(
    folder: Path,
    absent: set[int],
    as_of_us: int,
    *,
    last: int = 9,
    lacked: tuple[Gap, ...] = (),
    dead: int = -1,
    told: Mapping[str, int] = MappingProxyType({}),
) -> str | None:
    """Of an answer from the offsets 0 to `last`, of which one arrived a day, as a lake of its own says it.

    lacked: the gaps of the shard. dead: the offset of a dead letter.
    """
    lake = folder / str(len(list(folder.iterdir())))
    letters = {"topic": [READINGS.topic, "other"], "kafka_partition": [0, 0], "kafka_offset": [dead, 6]}
    write_deltalake(lake / DEAD_LETTERS_TABLE, pl.DataFrame(letters))
    there = [offset for offset in range(10) if offset not in absent]
    frame = pl.DataFrame(
        {"kafka_partition": [0] * len(there), "kafka_offset": there, "arrival_time_us": [at * DAY_US for at in there]}
    )
    path = lake / "events_readings"
    transactions = [Transaction(app, version) for app, version in told.items()]
    properties = CommitProperties(app_transactions=transactions)
    write_deltalake(path, frame, mode="overwrite", commit_properties=properties)
    vector = (AppliedPosition(*PLACE, last, 0),)
    shard = ShardReceipt("hot_plant:v1", 0, "", f"{gaps_digest(lacked):016x}", vector)
    found = AbsentEvents(OfflineStore(lake), HOT_PLANT, {READINGS.topic: DeltaTable(path)}).cause(shard, as_of_us)
    return None if found is None else found[0]


def test_where_the_lake_has_everything_it_lacks_nothing(tmp_path: Path) -> None:
    assert cause(tmp_path, set(), IN_REACH_US, told={ERASURES_APP: 3, offset_app(*PLACE): 9}) is None


@pytest.mark.parametrize(
    ("lacked", "as_of_us", "wanted"),
    [
        ((), 5 * DAY_US, LOST_EVENTS),
        ((GAP,), 5 * DAY_US, None),  # its shard had lost the same ones
        ((), BEYOND_REACH_US, None),
    ],
)
def test_a_gap_explains_what_reaches_it_where_the_shard_had_the_events(
    tmp_path: Path, lacked: tuple[Gap, ...], as_of_us: int, wanted: str | None
) -> None:
    assert cause(tmp_path, {4, 5}, as_of_us, lacked=lacked, told=GAP_APPS) == wanted
    assert cause(tmp_path, {4, 5}, 5 * DAY_US, last=3, told=GAP_APPS) is None  # its shard had not come so far


def test_a_shard_in_the_middle_of_what_was_lost_later_had_the_events(tmp_path: Path) -> None:
    assert cause(tmp_path, {4, 5}, 5 * DAY_US, last=4, told=GAP_APPS) == LOST_EVENTS


@pytest.mark.parametrize(("absent", "wanted"), [({5}, ERASED_EVENTS), ({1}, None), (set(), None), ({9}, ERASED_EVENTS)])
def test_erased_events_explain_what_reaches_their_positions(
    tmp_path: Path, absent: set[int], wanted: str | None
) -> None:
    assert cause(tmp_path, absent, 7 * DAY_US, told={ERASURES_APP: 1}) == wanted
    assert cause(tmp_path, absent, 7 * DAY_US) is None  # nothing was erased


def test_a_dead_letter_was_no_event(tmp_path: Path) -> None:
    assert cause(tmp_path, {5}, 7 * DAY_US, dead=5, told={ERASURES_APP: 1}) is None
    assert cause(tmp_path, {5, 6}, 7 * DAY_US, dead=5, told={ERASURES_APP: 1}) == ERASED_EVENTS


def test_what_the_archive_has_not_reached_and_what_retention_deleted_are_told_apart(tmp_path: Path) -> None:
    assert cause(tmp_path, {9}, IN_REACH_US, told={offset_app(*PLACE): 8}) == UNARCHIVED_EVENTS
    assert cause(tmp_path, {0, 1}, 2 * DAY_US, told={KEPT_FROM_APP: 2 * DAY_US}) == DELETED_EVENTS
    assert cause(tmp_path, {0, 1}, BEYOND_REACH_US, told={KEPT_FROM_APP: 2 * DAY_US}) is None
