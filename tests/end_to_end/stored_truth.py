"""What must hold when a stream job has come to rest, whatever happened to it on the way.

Events and dead letters equal the log. States in Redis and feature rows equal the naive oracle over the *stored* events,
bit for bit.
"""

from __future__ import annotations

import math
import random
import struct
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import redis
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, TopicPartition
from deltalake import DeltaTable

from shared_features.definitions import Catalogue, EventSource, FeatureGroup
from shared_features.formats import offline_tables
from shared_features.formats.entity_keys import has_integer_key, shards_of
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
from shared_features.formats.events import EventBatch
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta_bytes import decode_meta
from shared_features.kernel.event_time import to_us
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from streaming.lake.events_table import event_batch, int64
from tests import oracle
from tests.sent_events import sent_row
from tests.taken_events import entity_key, rows_of, taken

Position = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True)
class Stored:
    """The stored events of one source, with their positions and arrival times."""

    batch: EventBatch
    positions: list[Position]
    arrival_us: list[int]


def read_log(bootstrap_servers: str, topics: list[str]) -> dict[tuple[str, int, int], tuple[bytes | None, int]]:
    """Every record that the log holds: (topic, partition, offset) -> value and record time in microseconds."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "truth", "fetch.wait.max.ms": 10})
    records: dict[tuple[str, int, int], tuple[bytes | None, int]] = {}
    known = consumer.list_topics(timeout=10).topics
    for topic in topics:
        for number in known[topic].partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), 10)
            consumer.assign([TopicPartition(topic, number, low)])
            while low < high:
                for message in consumer.consume(min(10_000, high - low), 1.0):
                    offset, (kind, milliseconds) = message.offset(), message.timestamp()
                    assert offset is not None
                    assert milliseconds is not None
                    time_us = milliseconds * 1000 + (999 if kind == TIMESTAMP_LOG_APPEND_TIME else 0)
                    records[topic, number, offset] = (message.value(), time_us)
                    low = offset + 1
    consumer.close()
    return records


def stored_events(lake: Path, source: EventSource) -> Stored:
    rows = pa.table(DeltaTable(lake / offline_tables.events_table(source)).to_pyarrow_dataset().to_table())
    partitions, offsets = int64(rows, offline_tables.PARTITION), int64(rows, offline_tables.OFFSET)
    positions = list(zip(partitions.tolist(), offsets.tolist(), strict=True))
    return Stored(event_batch(source, rows), positions, int64(rows, offline_tables.ARRIVAL_TIME).tolist())


def recorded_gaps(lake: Path, table: str, partitions: Iterable[tuple[str, str, int]]) -> set[tuple[str, int, int]]:
    """The positions that a table of the archive says were gone; `partitions` are (topic, its id, number)."""
    stored = DeltaTable(lake / table).transaction_version
    gaps: set[tuple[str, int, int]] = set()
    for of in partitions:
        for index in range(stored(offline_tables.gaps_app(*of)) or 0):
            first, past = (stored(offline_tables.gap_app(*of, index, end)) for end in ("first", "past"))
            assert first is not None
            assert past is not None
            gaps |= {(of[0], of[2], offset) for offset in range(first, past)}
    return gaps


def check_log(
    lake: Path,
    catalogue: Catalogue,
    log: Mapping[tuple[str, int, int], Any],
    *,
    deleted: AbstractSet[tuple[str, int, int]] = frozenset(),
    ids: Mapping[str, str] | None = None,
) -> int:
    """Every record is an event or a dead letter, once, with the log's own bytes and time. Returns the dead letters.

    `log` holds all that ever was. Of the `deleted` some may be missing, just those of the recorded gaps; `ids`: of the
    topics, which gaps are recorded under.
    """
    found: dict[tuple[str, int, int], str] = {}
    for source in catalogue.sources:
        stored = stored_events(lake, source)
        for (partition, offset), row in zip(stored.positions, rows_of(stored.batch), strict=True):
            position = (source.topic, partition, offset)
            assert position not in found, f"{position} is stored twice"
            value, time_us = log[position]
            assert row == {**sent_row(source, value), "record_time_us": time_us}, f"{position} is not stored as sent"
            found[position] = "event"
    dead = pl.read_delta(str(lake / offline_tables.DEAD_LETTERS_TABLE))
    names = ["topic", offline_tables.PARTITION, offline_tables.OFFSET, "value", "reason"]
    for topic, partition, offset, value, reason in dead.select(names).iter_rows():
        position = (topic, partition, offset)
        assert position not in found, f"{position} is stored twice"
        assert log[position][0] == value
        assert reason
        found[position] = "dead"
    lost = log.keys() - found.keys()
    assert found.keys() <= log.keys(), f"never were in the log: {sorted(found.keys() - log.keys())[:5]}"
    assert lost <= deleted, f"missing: {sorted(lost - deleted)[:5]}"
    if deleted:
        _check_gaps(lake, catalogue, found, lost, deleted, ids or {})
    return len(dead)


def _check_gaps(
    lake: Path,
    catalogue: Catalogue,
    found: Mapping[tuple[str, int, int], str],
    lost: AbstractSet[tuple[str, int, int]],
    deleted: AbstractSet[tuple[str, int, int]],
    ids: Mapping[str, str],
) -> None:
    """What is missing is what the tables say was gone. Each has its own gaps: it may have been further than another."""
    numbers = {(topic, number) for topic, number, _ in deleted}
    recorded = set()
    for kind, table, topics in [
        *(("event", offline_tables.events_table(source), {source.topic}) for source in catalogue.sources),
        ("dead", offline_tables.DEAD_LETTERS_TABLE, set(ids)),
    ]:
        of = [(topic, ids[topic], number) for topic, number in numbers if topic in topics]
        gaps = recorded_gaps(lake, table, of)
        assert gaps <= deleted, f"{table} has gaps where nothing was deleted: {sorted(gaps - deleted)[:5]}"
        held = sorted(position for position in gaps if found.get(position) == kind)
        assert not held, f"{table} holds what it says was gone: {held[:5]}"
        recorded |= gaps
    assert lost <= recorded, f"missing, and no table says so: {sorted(lost - recorded)[:5]}"


def check_online(
    client: redis.Redis, namespace: str, lake: Path, group: FeatureGroup, *, clock_us: Callable[[], int] | None = None
) -> int:
    """Every state in Redis is the one of the stored events, and reads as the oracle does. Returns the entities.

    With a clock, Redis may have forgotten what was not written for as long as keys live, and a build what nothing can
    read any more: then the entity is missing or lacks its older tiles, and reads as of now are all the same. The clock
    is asked after each look at Redis: keys go on expiring while the others are checked.
    """
    events = [_seen(group, stored_events(lake, source)) for source in group.sources]
    state = TileState(group.layout)
    slot_of: dict[str, int] = {}
    shard_of: dict[str, int] = {}
    history: dict[str, list[oracle.Event]] = defaultdict(list)
    arrived: dict[str, list[int]] = defaultdict(list)
    for seen in events:
        for text, shard in zip(seen.texts, seen.shards, strict=True):
            if text not in slot_of:
                slot_of[text], shard_of[text] = int(state.add(1)[0]), shard
        apply(state, [slot_of[text] for text in seen.texts], *seen.columns)
        for text, event, arrival_us in zip(seen.texts, seen.events, seen.arrival_us, strict=True):
            history[text].append(event)
            arrived[text].append(arrival_us)
    kept_us = 2 * group.readable_us
    builds = {}
    for shard in range(group.shards):
        meta = client.get(meta_key(namespace, group, shard))
        assert isinstance(meta, bytes)
        builds[shard] = decode_meta(meta).build_id
        assert not decode_meta(meta).behind
    for text, slot in slot_of.items():
        prefix = entity_prefix(namespace, group, shard_of[text])
        key = prefix + text.encode()
        value = client.get(key)
        now_us = None if clock_us is None else clock_us()
        build = builds[shard_of[text]]
        right = value == encode_states(state, np.array([slot]), build, owners_of([key]))[0]
        newest_us = max(event.event_time_us for event in history[text])
        if not right:
            # Keys end their life after the last write; a build forgets what no later event could bring back to be read.
            forgetful = now_us is not None and min(*arrived[text], newest_us) <= now_us - kept_us
            assert forgetful, f"{group.label} {text}: {_differs(group, key, value, state, slot, build)}"
            if isinstance(value, bytes) and not _is_of(group, key, value, build):
                value = None
            may_miss = now_us is not None and min(max(arrived[text]), newest_us) <= now_us - kept_us
            assert value is not None or may_miss, f"{group.label} {text} is missing in Redis"
            assert isinstance(value, bytes | None)
        _check_reads(
            group, key, value, build, history[text], _instants(group, history[text]) if right else [now_us or 0]
        )
        _check_reads(group, key, value, build, history[text], [max(newest_us, now_us or 0) + 86_400_000_000])
    for shard in range(group.shards):
        prefix = entity_prefix(namespace, group, shard)
        for key in client.scan_iter(_glob(prefix) + b"*", count=10_000):
            if key.removeprefix(prefix).decode() not in slot_of:
                _check_is_nothing(group, key, client.get(key), builds[shard])
    return len(slot_of)


def check_feature_rows(
    lake: Path, group: FeatureGroup, spine: EventSource, *, up_to_us: int, sample: int = 10**9
) -> int:
    """One row per stored spine event before the cut, each as the oracle has it. Returns how many rows there are."""
    updates: dict[str, list[tuple[int, oracle.Event]]] = defaultdict(list)
    for source in group.sources:
        stored = stored_events(lake, source)
        seen = _seen(group, stored)
        for row, text, event in zip(seen.rows, seen.texts, seen.events, strict=True):
            updates[text].append((max(stored.arrival_us[row], event.event_time_us + 1), event))
    events = stored_events(lake, spine)
    texts = [entity_key(group, row) for row in rows_of(events.batch)]
    wanted = {
        position: (text, time_us)
        for position, text, time_us, arrival in zip(
            events.positions, texts, events.batch.event_time_us.tolist(), events.arrival_us, strict=True
        )
        if max(time_us, arrival) < up_to_us
    }
    table = pl.read_delta(str(lake / offline_tables.features_table(group, spine)))
    found = table.select(offline_tables.PARTITION, offline_tables.OFFSET).rows()
    assert len(found) == len(set(found)), "a feature row is stored twice"
    missing = wanted.keys() - set(found)
    assert not missing, f"{len(missing)} of {len(wanted)} feature rows are missing: {sorted(missing)[:5]}"
    names = [feature.name for feature in group.features]
    keys = table["entity_key"].cast(pl.String).to_list()
    by_position = dict(zip(events.positions, zip(texts, events.batch.event_time_us.tolist(), strict=True), strict=True))
    step = max(1, len(found) // sample)
    for of_entity in updates.values():
        of_entity.sort(key=lambda each: each[1].event_time_us)
    times = {text: [event.event_time_us for _, event in of_entity] for text, of_entity in updates.items()}
    for row, values in enumerate(table.select(names).iter_rows()):
        if row % step:
            continue
        text, at = by_position[found[row]]
        assert keys[row] == text
        some, of_entity = times.get(text, []), updates[text]
        for feature, value in zip(group.layout.features, values, strict=True):
            # The oracle would pass over all others, slowly.
            first = bisect_left(some, at - feature.length_us - feature.hop_us)
            visible = [event for effect, event in of_entity[first : bisect_left(some, at)] if effect <= at]
            wanted_value = oracle.value(group.layout, feature, visible, at)
            assert_same(value, wanted_value, f"{group.label}.{feature.name} {text} {at}")
    return len(found)


def assert_same(found: float, wanted: float, what: str) -> None:
    """Equal to the bit; any NaN equals any NaN."""
    both_nan = math.isnan(found) and math.isnan(wanted)
    assert both_nan or struct.pack("<d", found) == struct.pack("<d", wanted), f"{what}: {found!r} is not {wanted!r}"


@dataclass(frozen=True)
class _Seen:
    rows: list[int]
    texts: list[str]
    shards: list[int]
    events: list[oracle.Event]
    arrival_us: list[int]
    columns: tuple[Any, ...]


def _seen(group: FeatureGroup, stored: Stored) -> _Seen:
    seen = list(taken(group, stored.batch.source, rows_of(stored.batch)))
    rows, texts, events = (list(each) for each in zip(*seen, strict=True)) if seen else ([], [], [])
    columns = (
        np.array([event.event_time_us for event in events], np.int64),
        np.array([event.digest for event in events], np.uint64),
        np.array([event.values for event in events], np.int64).reshape(len(events), len(group.columns)),
        np.array([event.valid for event in events], np.bool_).reshape(len(events), len(group.columns)),
    )
    numbers = has_integer_key(group.entity, stored.batch.source)
    shards = shards_of(np.array(texts, np.int64) if numbers else texts, group.shards).tolist()
    arrival_us = [stored.arrival_us[row] for row in rows]
    return _Seen(rows, texts, shards, events, arrival_us, columns)


def _check_reads(
    group: FeatureGroup, key: bytes, value: Any, build_id: int, history: list[oracle.Event], instants: list[int]
) -> None:
    """What the bytes of an entity (None: nothing) read as at each instant is what the oracle says."""
    state = TileState(group.layout)
    slots = state.add(1)
    assert decode_states(state, slots, [value], build_id, owners_of([key])).all() == (value is not None)
    for as_of in instants:
        values = read(state, slots, np.array([as_of]))[0].tolist()
        for feature, found in zip(group.layout.features, values, strict=True):
            wanted = oracle.value(group.layout, feature, history, as_of)
            assert_same(found, wanted, f"{group.label}.{feature.name} at {as_of}")


def _instants(group: FeatureGroup, history: list[oracle.Event]) -> list[int]:
    """Where values must be exact: after the newest event, at some event of the head, and anywhere in the head."""
    times = sorted(event.event_time_us for event in history)
    chance = random.Random(times[-1])
    head_us = to_us(group.head) + max(to_us(source.tolerated_future) for source in group.sources)
    first_us = times[-1] - head_us
    head = [time_us for time_us in times if time_us >= first_us]
    return [times[-1] + 1, chance.choice(head), chance.randint(first_us, times[-1])]


def _is_of(group: FeatureGroup, key: bytes, value: bytes, build_id: int) -> bool:
    state = TileState(group.layout)
    return bool(decode_states(state, state.add(1), [value], build_id, owners_of([key])).all())


def _check_is_nothing(group: FeatureGroup, key: bytes, value: Any, build_id: int) -> None:
    """A key of no stored event is a left-over of a build before, which no reader takes for a state."""
    state = TileState(group.layout)
    if value is not None:  # it may end its life just now
        found = decode_states(state, state.add(1), [value], build_id, owners_of([key])).any()
        assert not found, f"{group.label} {key!r}: no stored event is behind it"


def _differs(group: FeatureGroup, key: bytes, value: Any, wanted: TileState, slot: int, build_id: int) -> str:
    """How a state in Redis differs from the one of the stored events."""
    if value is None:
        return "missing in Redis"
    state = TileState(group.layout)
    slots = state.add(1)
    if not decode_states(state, slots, [value], build_id, owners_of([key])).all():
        return f"of another build than its shard's, {build_id}"
    at = np.array([int(wanted.pools.newest_us[slot]) + 1])
    found, right = read(state, slots, at)[0].tolist(), read(wanted, np.array([slot]), at)[0].tolist()
    newest = int(state.pools.newest_us[slots[0]])
    return f"newest {newest} of {at[0] - 1}, {len(value)} bytes; at {at[0]} it reads {found}, by the events {right}"


def _glob(prefix: bytes) -> bytes:
    """A prefix as a pattern of SCAN that matches just it."""
    return b"".join(b"\\" + bytes([byte]) if byte in b"*?[]\\" else bytes([byte]) for byte in prefix)
