"""What must hold of Redis when a stream job has come to rest: states equal the oracle, bit for bit."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import redis

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta_bytes import decode_meta
from shared_features.kernel.event_time import to_us
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from tests import oracle
from tests.end_to_end.archived_truth import stored_events
from tests.end_to_end.stored_taken_events import assert_same, taken_events


def check_online(
    client: redis.Redis, namespace: str, lake: Path, group: FeatureGroup, *, clock_us: Callable[[], int] | None = None
) -> int:
    """Every state in Redis is the one of the stored events, and reads as the oracle does. Returns the entities.

    With a clock, Redis may have forgotten what was not written for as long as keys live, and a build what nothing can
    read any more: then the entity is missing or lacks its older tiles, and reads as of now are all the same. The clock
    is asked after each look at Redis: keys go on expiring while the others are checked.
    """
    events = [taken_events(group, stored_events(lake, source)) for source in group.sources]
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
