"""Snapshots: the states of all effects below a cut, from which a restart or a bootstrap continues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.entity_keys import EntityKeys, has_integer_key, shards_of
from shared_features.formats.offline_tables import CUT_APP, ERASURES_APP, FINGERPRINT, SNAPSHOT_COLUMNS, snapshots_table
from streaming.lake.handle import DeltaHandle
from streaming.lake.scan import scanned
from streaming.lake.tables import DELTA, DeltaTables
from streaming.replay.replayer import Replayer

KEPT = 3
UNREADABLE = "replaying the events tables from their beginning, because a snapshot cannot be read"


@dataclass(frozen=True)
class Snapshot:
    """cut_us: the states hold all effects below it. States are read on demand, a few thousand at a time."""

    cut_us: int
    _table: DeltaTable
    _integer_keys: bool

    def states(self, shards: Iterable[int] | None = None) -> Iterator[tuple[list[int | str], list[bytes]]]:
        """Entity keys (int or text) and the bytes of their states, of all shards or of these shards."""
        condition = f"cut_us = {self.cut_us}"
        if shards is not None:
            condition += f" AND shard IN ({', '.join(map(str, sorted(shards)))})"
        for batch in scanned(self._table, ["entity_key", "state"], condition):
            keys = batch.column("entity_key").to_pylist()
            yield list(map(int, keys)) if self._integer_keys else keys, batch.column("state").to_pylist()


def snapshot_schema() -> pa.Schema:
    kinds = (pa.int64(), pa.int32(), pa.string(), pa.binary())
    return pa.schema(list(zip(SNAPSHOT_COLUMNS, kinds, strict=True)))


def snapshot_rows(group: FeatureGroup, spine: EventSource, cut_us: int, replayer: Replayer) -> pa.Table:
    """The states of a replay as rows of the snapshots table."""
    keys, states = replayer.encoded()
    integer = has_integer_key(group.entity, spine)
    hashed: EntityKeys = np.array(keys, np.int64) if integer else [str(key) for key in keys]
    columns: list[Any] = [
        pa.array(np.full(len(keys), cut_us, np.int64)),
        pa.array(shards_of(hashed, group.shards).astype(np.int32)),
        pa.array(list(map(str, keys)), pa.string()),
        pa.array(states, pa.binary()),
    ]
    return pa.table(columns, schema=snapshot_schema())


class Snapshots:
    """The snapshots table of a spine; keeps the latest few."""

    def __init__(
        self,
        lake: Path,
        group: FeatureGroup,
        spine: EventSource,
        fingerprint: str,
        definition: str | None = None,
        delta: DeltaTables = DELTA,
    ) -> None:
        path = lake / snapshots_table(group, spine)
        self._handle = DeltaHandle(path, snapshot_schema(), ("cut_us",), fingerprint, definition, delta=delta)
        self._erasures = self._handle.position(ERASURES_APP)  # as in feature_sink.FeatureTable

    def write(self, rows: pa.Table, cut_us: int) -> None:
        """Commit a snapshot, unless there is a later one. Delete all but the latest few."""
        self._handle.refresh()
        stored = self._handle.position(CUT_APP)
        if stored >= cut_us:
            return
        before = {CUT_APP: stored, ERASURES_APP: self._erasures}
        self._erasures = max(0, self._erasures)
        self._handle.commit(rows, before, {CUT_APP: cut_us, ERASURES_APP: self._erasures})
        cuts = snapshot_cuts(self._handle.refresh())
        if len(cuts) > KEPT:
            with suppress(DeltaError):  # the table is being compacted; the next snapshot deletes them
                self._handle.refresh().delete(f"cut_us < {cuts[-KEPT]}")


def latest_snapshot(
    lake: Path,
    group: FeatureGroup,
    spine: EventSource,
    fingerprint: str,
    up_to_us: int,
    delta: DeltaTables = DELTA,
) -> Snapshot | None:
    """The latest snapshot whose cut is not above an instant; None if there is none of this definition."""
    path = lake / snapshots_table(group, spine)
    if not delta.exists(path):
        return None
    table = delta.open(path)
    cuts = [cut for cut in snapshot_cuts(table) if cut <= up_to_us]
    if not cuts or table.metadata().configuration.get(FINGERPRINT) != fingerprint:
        return None
    return Snapshot(cuts[-1], table, has_integer_key(group.entity, spine))


def snapshot_cuts(table: DeltaTable) -> list[int]:
    """The cuts of the snapshots that a table holds, ascending."""
    files = pa.table(table.get_add_actions(flatten=True))
    return sorted(set(map(int, files["partition.cut_us"].to_pylist()))) if files.num_rows else []
