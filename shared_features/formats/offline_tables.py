"""The wall "offline store": names and columns of the Delta tables that streaming writes and training reads.

| table | one row is | partitioned by | its positions (application transactions) |
|---|---|---|---|
| events_<source> | an accepted event, position and times | arrival_date | offsets, arrival maxima, gaps, watermark |
| dead_letters | a record that is not an acceptable event, with the reason | | as of events, over all topics |
| features_<group>_v<N>_on_<source> | the group's values as served at one event of the spine source | | one cut |
| snapshots_<group>_v<N>_on_<source> | an entity's state of all effects before a cut | cut_us | one cut |

An addition to a group has tables of its own: features_<group>_v<N>_added<M>_on_<source>, and snapshots alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared_features.definitions import EventSource, FeatureGroup  # at run time they would load numba

SCHEMA_VERSION = 1

TOPIC_ID = "topic_id"
PARTITION = "kafka_partition"
OFFSET = "kafka_offset"
RECORD_TIME = "record_time_us"
ARRIVAL_TIME = "arrival_time_us"
ARRIVAL_DATE = "arrival_date"
POSITION = (PARTITION, OFFSET)
EVENT_COLUMNS = (PARTITION, OFFSET, RECORD_TIME, ARRIVAL_TIME, ARRIVAL_DATE)
"""Columns of an events table (int32, int64, int64, int64, text YYYY-MM-DD) before the source's own fields.

A source's fields follow under their names: int64 in steps of the field's decimals (microseconds for a Timestamp),
bool for a Boolean, string for a Text; null where an optional field is missing.
"""

DEAD_LETTER_COLUMNS = ("topic", PARTITION, OFFSET, RECORD_TIME, ARRIVAL_TIME, "reason", "key", "value", TOPIC_ID)
"""reason: one sentence with the path of the fault; key and value: the record's raw bytes. topic_id: null in rows
that an earlier release wrote. A topic that was re-created has the same positions again; its id tells the two apart."""

FEATURE_ROW_COLUMNS = (PARTITION, OFFSET, "event_time_us", ARRIVAL_TIME, "entity_key", "late", "copy")
"""Columns of a feature row (int32, int64, int64, int64, text, bool, bool) before the group's features, float64
each under its short name, NaN where missing. late: its event came with more than the allowed lateness, so the row
was written by a later pass. copy: an earlier position holds the same event; training drops it."""

SNAPSHOT_COLUMNS = ("cut_us", "shard", "entity_key", "state")
"""int64, int32, text, and the entity's bytes as `formats.entity_state` encodes them, build id 0."""


def events_table(source: EventSource) -> str:
    return f"events_{source.name}"


DEAD_LETTERS_TABLE = "dead_letters"


def features_table(group: FeatureGroup, spine: EventSource) -> str:
    return f"features_{_of_part(group)}_on_{spine.name}"


def snapshots_table(group: FeatureGroup, spine: EventSource) -> str:
    return f"snapshots_{_of_part(group)}_on_{spine.name}"


def _of_part(group: FeatureGroup) -> str:
    return f"{group.name}_v{group.version}" + (f"_added{group.part}" if group.part else "")


def offset_app(topic: str, topic_id: str, partition: int) -> str:
    """Application id whose version is the last offset of a partition that the table holds or has passed."""
    return f"offset:{topic}:{topic_id}:{partition}"


def arrival_app(topic: str, topic_id: str, partition: int) -> str:
    """Application id whose version is the partition's running maximum of arrival time, microseconds."""
    return f"arrival:{topic}:{topic_id}:{partition}"


def partitions_app(topic: str, topic_id: str) -> str:
    """Application id whose version is how many partitions of a topic the table knows: 0 up to it, exclusive."""
    return f"partitions:{topic}:{topic_id}"


def gaps_app(topic: str, topic_id: str, partition: int) -> str:
    """Application id whose version is how many gaps of a partition are recorded."""
    return f"gaps:{topic}:{topic_id}:{partition}"


def gap_app(topic: str, topic_id: str, partition: int, index: int, end: str) -> str:
    """Application id of one end of gap `index` (from 0): "first" offset that was gone, "past" the last one."""
    return f"gap:{topic}:{topic_id}:{partition}:{index}:{end}"


FINGERPRINT = "millrace.fingerprint"
"""Table property: what the rows of features and snapshots mean, the group's fingerprint before everything else."""

DEFINITION = "millrace.definition"
"""Table property: the definition itself (`definitions.difference`), so that a change of it can be named. Of events it
is their source's."""

WATERMARK_APP = "watermark"
"""Application id of an events table whose version is the arrival watermark: the smallest running maximum over the
partitions. Every event that is stored later has an arrival time of at least this, microseconds."""

CUT_APP = "cut"
"""Application id whose version is the arrival watermark w up to which feature rows are complete, microseconds."""

KEPT_FROM_APP = "kept_from"
"""Application id of an events table whose version is the arrival time before which retention has deleted all events,
microseconds. Feature rows of such events are kept; what joins the two leaves them out."""

ERASURES_TABLE = "erasures"
"""The record of erasures: one row a step, with the kind of entity (`entity`) and the time (`at_us`), and no key."""
ERASURES_APP = "erasures"
"""Application id whose version counts the erasures of entities (a legal request) that a table has been through. Of an
events table: a replay that began with another count holds erased events, and has to restart."""
