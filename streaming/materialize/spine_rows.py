"""The rows of a spine: the events whose rows a pass writes, and which of them are copies of earlier events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.entity_keys import EntityKeys, entity_keys, has_integer_key
from shared_features.formats.offline_tables import ARRIVAL_TIME, FEATURE_ROW_COLUMNS, OFFSET, PARTITION
from streaming.lake.event_rows import EventRows

Int64 = NDArray[np.int64]
_BLOCK = 1024


@dataclass(frozen=True)
class SpineRows:
    """Events of a spine, one feature row each. key: of the entity, int64 or text. event_id: as in the event."""

    partition: NDArray[np.int32]
    offset: Int64
    event_time_us: Int64
    arrival_us: Int64
    digest: NDArray[np.uint64]
    event_id: NDArray[Any]
    key: pa.Array

    @classmethod
    def of(cls, group: FeatureGroup, arrived: EventRows) -> SpineRows:
        batch = arrived.batch
        return cls(
            arrived.partition,
            arrived.offset,
            batch.event_time_us,
            arrived.arrival_us,
            batch.digest,
            batch.columns[batch.source.event_id],
            key_array(group, batch.source, entity_keys(group.entity, batch.source, batch.columns)),
        )

    def __len__(self) -> int:
        return len(self.offset)

    @property
    def lateness_us(self) -> Int64:
        """int64[n]: arrival time minus event time."""
        return self.arrival_us - self.event_time_us

    def take(self, rows: NDArray[Any]) -> SpineRows:
        """The rows of a mask or of indices, in their order."""
        picked = np.flatnonzero(rows) if rows.dtype == bool else rows
        return SpineRows(
            self.partition[picked],
            self.offset[picked],
            self.event_time_us[picked],
            self.arrival_us[picked],
            self.digest[picked],
            self.event_id[picked],
            self.key.take(pa.array(picked)),
        )

    def followed_by(self, other: SpineRows) -> SpineRows:
        """These rows, then the others."""
        return SpineRows(
            np.concatenate([self.partition, other.partition]),
            np.concatenate([self.offset, other.offset]),
            np.concatenate([self.event_time_us, other.event_time_us]),
            np.concatenate([self.arrival_us, other.arrival_us]),
            np.concatenate([self.digest, other.digest]),
            np.concatenate([self.event_id, other.event_id]),
            pa.concat_arrays([self.key, other.key]),
        )


def key_array(group: FeatureGroup, source: EventSource, keys: EntityKeys) -> pa.Array:
    """Entity keys as an Arrow array: int64, or string."""
    return pa.array(keys, pa.int64() if has_integer_key(group.entity, source) else pa.string())


def copies(rows: SpineRows) -> NDArray[np.bool_]:
    """bool[n]: whether an earlier row holds the same event: equal digest, earlier by (arrival, partition, offset).

    Equal digests have equal event times, so rows of one event time need only be compared with each other.
    """
    found = np.zeros(len(rows), np.bool_)
    ordered = np.sort(rows.digest)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(repeated):
        return found
    some = np.flatnonzero(np.isin(rows.digest, repeated))
    by = np.lexsort((rows.offset[some], rows.partition[some], rows.arrival_us[some], rows.digest[some]))
    some = some[by]
    found[some[1:]] = rows.digest[some[1:]] == rows.digest[some[:-1]]
    return found


def contradicted_ids(rows: SpineRows, copy: NDArray[np.bool_]) -> list[Any]:
    """The event ids with more than one content among the rows. `copy`: the result of `copies`."""
    ids = pa.array(rows.event_id[~copy])  # each content once, so an id that occurs twice has two contents
    if not len(ids):  # for texts Arrow would not know the type
        return []
    if pc.count_distinct(ids).as_py() == len(ids):
        return []
    counts = ids.value_counts()
    return list(counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist())


def feature_schema(group: FeatureGroup) -> pa.Schema:
    """The columns of a feature table, as `formats.offline_tables` defines them."""
    kinds = (pa.int32(), pa.int64(), pa.int64(), pa.int64(), pa.string(), pa.bool_(), pa.bool_())
    fields = list(zip(FEATURE_ROW_COLUMNS, kinds, strict=True))
    return pa.schema([*fields, *((feature.name, pa.float64()) for feature in group.features)])


def feature_rows(
    group: FeatureGroup, rows: SpineRows, lateness_us: int, copy: NDArray[np.bool_], values: NDArray[np.float64]
) -> pa.Table:
    """Rows of the feature table: the values as served at each event, and the event's position and times.

    `lateness_us`: the allowed lateness; later events are flagged.
    """
    columns = {
        PARTITION: pa.array(rows.partition),
        OFFSET: pa.array(rows.offset),
        "event_time_us": pa.array(rows.event_time_us),
        ARRIVAL_TIME: pa.array(rows.arrival_us),
        "entity_key": rows.key.cast(pa.string()),
        "late": pa.array(rows.lateness_us > lateness_us),
        "copy": pa.array(copy),
    }
    turned = _columns(values)
    columns |= {feature.name: pa.array(turned[feature.index]) for feature in group.features}
    return pa.table(columns, schema=feature_schema(group))


def _columns(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values column by column, turned in blocks that fit the processor's cache."""
    turned = np.empty(values.shape[::-1])
    for start in range(0, len(values), _BLOCK):
        turned[:, start : start + _BLOCK] = values[start : start + _BLOCK].T
    return turned
