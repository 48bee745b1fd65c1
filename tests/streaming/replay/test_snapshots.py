"""A snapshot may hold more entities than fit into memory: it is read piece by piece, and only what is asked for."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from streaming.replay.snapshots import Snapshots, latest_snapshot, snapshot_schema
from streaming.replay.spine import Spine
from tests.streaming.small_domain import PAYER, PAYMENTS

ENTITIES = 40_000
SPINE = Spine(PAYER, PAYMENTS, 12_000_000)


def written(lake: Path) -> None:
    shards = (np.arange(ENTITIES) % PAYER.shards).astype(np.int32)
    names = [str(number) for number in range(ENTITIES)]
    columns = [np.full(ENTITIES, 5), shards, names, [f"state {name}".encode() for name in names]]
    rows = pa.table([*map(pa.array, columns)], schema=snapshot_schema())
    Snapshots(lake, PAYER, PAYMENTS, SPINE.fingerprint).write(rows, 5)


def test_a_snapshot_is_read_piece_by_piece(tmp_path: Path) -> None:
    written(tmp_path)
    snapshot = latest_snapshot(tmp_path, PAYER, PAYMENTS, SPINE.fingerprint, 9)
    assert snapshot is not None
    assert snapshot.cut_us == 5
    pieces = list(snapshot.states())
    assert max(len(keys) for keys, _ in pieces) <= 8192 < ENTITIES
    assert {key: state for keys, states in pieces for key, state in zip(keys, states, strict=True)} == {
        number: f"state {number}".encode() for number in range(ENTITIES)
    }


def test_only_the_shards_that_are_asked_for_are_read(tmp_path: Path) -> None:
    written(tmp_path)
    snapshot = latest_snapshot(tmp_path, PAYER, PAYMENTS, SPINE.fingerprint, 9)
    assert snapshot is not None
    wanted = [PAYER.shards - 1]
    found = [key for keys, _ in snapshot.states(wanted) for key in keys]
    assert sorted(found) == list(range(PAYER.shards - 1, ENTITIES, PAYER.shards))


def test_its_files_are_read_in_small_groups_of_rows(tmp_path: Path) -> None:
    """A reader holds a group of rows whole: a million of them, were it left to Parquet."""
    written(tmp_path)
    for path in tmp_path.rglob("cut_us=5/*.parquet"):
        file = pq.ParquetFile(path).metadata
        assert max(file.row_group(number).num_rows for number in range(file.num_row_groups)) <= 8192
