"""Checks of Redis and the lake: whether they are safe to write to, and hold what these definitions mean."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from deltalake.exceptions import DeltaError
from redis.exceptions import RedisError

from shared_features.definitions import Catalogue, EventSource, FeatureGroup, difference
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, events_table
from streaming.errors import RefusedError
from streaming.kafka.brokers.recreated_topic import what_was_recreated
from streaming.kafka.brokers.topics import Bounds, PartitionKey, Topic
from streaming.lake.events_table import is_recreated, refuse_other_events
from streaming.lake.log_files import check_commits
from streaming.lake.look import LakeLook
from streaming.online_store.link import ONE_PRIMARY
from streaming.online_store.server import ALL_SLOTS, StoreServer
from streaming.operations.check.finding import Finding
from streaming.operations.check.topics import check_position

LogBounds = Callable[[], Mapping[PartitionKey, Bounds]]
"""Asks where logs begin and end now. Empty while the brokers are unavailable."""
_LITTLE_ROOM = 1 << 30


def check_redis(
    server: StoreServer,
    groups: Iterable[FeatureGroup],
    topics: Mapping[str, Topic],
    bounds: LogBounds,
) -> Iterator[Finding]:
    """The configuration of the server, and what it holds of these groups."""
    try:
        if (slots := server.slots()) < ALL_SLOTS:
            text = f"belongs to a cluster and serves only {slots} of {ALL_SLOTS} slots. {ONE_PRIMARY}"
            yield Finding("refused", "Redis", text)
            return
        policy = server.info("memory").get("maxmemory_policy", "noeviction")
        persistent = server.info("persistence").get("aof_enabled") == "1" or server.config("save") != ""
        metas = server.metas(groups)
    except (RedisError, RefusedError) as error:
        text = f"cannot be reached ({error}). Check REDIS_URL. A running dataflow waits for Redis"
        yield Finding("away", "Redis", text)
        return
    ends = bounds()
    if policy != "noeviction":
        text = f"maxmemory-policy is {policy}. Redis may then evict a state, which looks like an entity without events."
        yield Finding("refused", "Redis", f"{text} Run CONFIG SET maxmemory-policy noeviction, and CONFIG REWRITE")
    if not persistent:
        text = "stores nothing on disk. A restart empties Redis, and all states are rebuilt. Set appendonly yes"
        yield Finding("warning", "Redis", text)
    for group in groups:
        if other := {meta.fingerprint for meta in metas[group.label] if meta is not None} - {group.fingerprint}:
            text = f"was written under another definition (fingerprint {min(other)}, now {group.fingerprint})"
            if (stored := server.definition(group)) is not None:
                text += f": {difference(stored, group)}"
            yield Finding("refused", f"group {group.label}", f"{text}. Raise its version to {group.version + 1}")
        for number, meta in enumerate(metas[group.label]):
            about = f"shard {group.label}:{number}"
            if meta is None:
                continue
            for partition, position in meta.vector.items():
                yield from check_position(about, partition, position.offset, topics, ends)


def check_lake(lake: Path, catalogue: Catalogue, topics: Mapping[str, Topic], bounds: LogBounds) -> Iterator[Finding]:
    """Whether the lake can be written, and whether its tables fit the logs."""
    there = next((path for path in (lake.absolute(), *lake.absolute().parents) if path.exists()), Path("/"))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        text = f"{there} is {'not writable' if there.is_dir() else 'not a directory'}. Correct it, or set MILLRACE_LAKE"
        yield Finding("refused", "lake", text)
        return
    if (free := shutil.disk_usage(there).free) < _LITTLE_ROOM:
        yield Finding("warning", "lake", f"only {free >> 20} MiB are free at {there}. Make room")
    if not lake.is_dir():
        return  # the archive creates it
    look = LakeLook(lake)
    for source in catalogue.sources:
        for name in (events_table(source), DEAD_LETTERS_TABLE):
            yield from _check_table(look, lake / name, topics.get(source.topic), topics, bounds)
        yield from _check_events(look, source, topics.get(source.topic))


def _check_events(look: LakeLook, source: EventSource, topic: Topic | None) -> Iterator[Finding]:
    about = f"table {events_table(source)}"
    try:
        table = look.table(events_table(source))
        if table is not None:
            refuse_other_events(table, source)
    except RefusedError as error:
        yield Finding("refused", about, str(error))
        return
    except (OSError, DeltaError):
        return  # `_check_table` has reported it
    if table is not None and topic is not None and is_recreated(table, topic.name, topic.id):
        yield Finding("refused", about, what_was_recreated(topic.name, topic.id))


def _check_table(
    look: LakeLook,
    path: Path,
    topic: Topic | None,
    topics: Mapping[str, Topic],
    bounds: LogBounds,
) -> Iterator[Finding]:
    about = f"table {path.name}"
    try:
        if (path / "_delta_log").is_dir():
            check_commits(path)
        offsets = {} if topic is None else look.offsets(path.name, topic)
    except RefusedError as error:
        yield Finding("refused", "lake", str(error))
        return
    except (OSError, DeltaError) as error:
        yield Finding("away", about, f"cannot be read ({error}). A running dataflow waits for the lake")
        return
    ends = bounds()
    for (name, number), offset in offsets.items():
        if topic is not None and offset >= 0:
            yield from check_position(about, (name, topic.id, number), offset, topics, ends)
