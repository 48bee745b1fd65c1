"""What is kept of each record whose rows are compared: as columns, of which a record is an object when it differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.inference.audit.log_batches.logged_batch import LoggedBatch
from training.inference.audit.replay.shard_lives import Int64

_KIND = "model", "model_version", "release"


class RecordFacts(msgspec.Struct, frozen=True, gc=False):
    """One record. receipt: which of the receipts of `ReadVectors`."""

    id: str
    model: str
    version: int
    release: str
    degraded: bool
    receipt: int


@dataclass(frozen=True)
class LoggedRecords(Sequence[RecordFacts]):
    """`n` records. at: int64[n], their places in the batch that they were read from. kinds: model, version and release,
    those that there are; kind: int64[n], which of them. degraded: bool[n]. receipt: int64[n]. at_us: int64[n], when the
    answer was written. came_us: int64[n], when its request came, by the same clock.
    """

    at: Int64
    ids: pa.ChunkedArray
    kinds: Sequence[tuple[str, int, str]]
    kind: Int64
    degraded: NDArray[np.bool_]
    receipt: Int64
    at_us: Int64
    came_us: Int64

    def __len__(self) -> int:
        return len(self.kind)

    @overload
    def __getitem__(self, number: int) -> RecordFacts: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[RecordFacts]: ...
    def __getitem__(self, number: int | slice) -> RecordFacts | Sequence[RecordFacts]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        model, version, release = self.kinds[int(self.kind[number])]
        identifier = str(self.ids[number].as_py())
        return RecordFacts(
            identifier, model, version, release, bool(self.degraded[number]), int(self.receipt[number])
        )  # fmt: skip

    def take(self, numbers: Int64) -> LoggedRecords:
        """These records, in this order."""
        ids, at = self.ids.take(pa.array(numbers)), self.at[numbers]
        columns = self.kind[numbers], self.degraded[numbers], self.receipt[numbers]
        return LoggedRecords(at, ids, self.kinds, *columns, self.at_us[numbers], self.came_us[numbers])


def records_of(batch: LoggedBatch) -> LoggedRecords:
    """Those of a batch; of its receipts the numbers are those in the column."""
    kind, kinds = np.zeros(len(batch), np.int64), list[tuple[str, int, str]]()
    for group in batch.alike(_KIND, np.arange(len(batch))):
        kind[group] = len(kinds)
        first = batch.record(int(group[0]))
        kinds.append((first.model, first.model_version, first.release))
    ids = pa.chunked_array([batch.ids])
    at_us = batch.integers("at_us")
    times = at_us, at_us - batch.integers("latency_us")
    receipts = batch.shared("receipt").of
    return LoggedRecords(np.arange(len(batch)), ids, kinds, kind, batch.flags("degraded"), receipts, *times)


def all_records(parts: Sequence[LoggedRecords], receipts_before: Sequence[int]) -> LoggedRecords:
    """All of them, one after the other. receipts_before: how many receipts stand before those of each part."""
    kinds = list(dict.fromkeys(kind for each in parts for kind in each.kinds))
    of = [np.array([kinds.index(kind) for kind in each.kinds] or [0])[each.kind] for each in parts]
    return LoggedRecords(
        np.concatenate([each.at for each in parts]),
        pa.chunked_array([chunk for each in parts for chunk in each.ids.chunks], parts[0].ids.type),
        kinds,
        np.concatenate(of),
        np.concatenate([each.degraded for each in parts]),
        np.concatenate([each.receipt + before for each, before in zip(parts, receipts_before, strict=True)]),
        np.concatenate([each.at_us for each in parts]),
        np.concatenate([each.came_us for each in parts]),
    )
