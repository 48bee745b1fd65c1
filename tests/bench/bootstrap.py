"""Building a group's shards into Redis: from the events table alone, and from a snapshot of the day before."""

from __future__ import annotations

import tempfile
from pathlib import Path

import redis

from deploy.embedded.redis_server import RedisServer
from shared_features.event_sources import CARD_TRANSACTIONS
from shared_features.feature_groups.customer_spend import CUSTOMER_SPEND
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta_bytes import decode_meta
from shared_features.kernel.event_time import DAY_US, to_us
from streaming.bootstrap.group_build import GroupBuild
from streaming.bootstrap.shard_build import ShardBuild
from streaming.kafka.brokers.topics import Topic
from streaming.lake.events_reader import EventsReader, spans
from streaming.online_store.link import RedisLink
from streaming.online_store.shard_store import ShardStore
from streaming.replay.replayer import Replayer
from streaming.replay.snapshots import Snapshot, Snapshots, latest_snapshot, snapshot_rows
from streaming.replay.spine import Spine, settings_spines
from streaming.settings import StreamingSettings, load_settings
from tests.bench.figures import Figure, stopwatch
from tests.bench.filled_lake import TOPIC_ID, fill_lake
from tests.bench.transactions import measured_transactions

COPIES = 4


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder) / "redis") as store:
        lake = Path(folder) / "lake"
        stored = fill_lake(lake, CARD_TRANSACTIONS, rows, COPIES)
        settings = load_settings(lake=lake, redis_url=store.url)
        with stopwatch() as reading:
            table = EventsReader(lake, CARD_TRANSACTIONS)
            last_us = table.refresh()
            for span in spans([table], 0, int(rows.event_time_us[-1]) + 1):
                table.where(*span)
        build(settings)  # once, for what is compiled and cached
        with stopwatch() as building:
            events, entities = build(settings)
        (spine,) = (each for each in settings_spines(settings).values() if each.group is CUSTOMER_SPEND)
        write_snapshot(settings, spine, last_us - DAY_US)
        with stopwatch() as from_snapshot:
            build(settings, spine)
        return [
            Figure(
                "bootstrap from the events table, read, applied and written",
                events / building.elapsed,
                "events/s",
                stored / reading.elapsed,
                "reading the table alone",
            ),
            Figure("entities that it wrote", entities, "entities"),
            Figure(
                "bootstrap from a snapshot of the day before",
                from_snapshot.elapsed,
                "s",
                building.elapsed,
                "from the events table alone",
            ),
        ]


def write_snapshot(settings: StreamingSettings, spine: Spine, cut_us: int) -> None:
    """What materialize would have left: the states of all effects before a cut."""
    table, replayer = EventsReader(settings.lake, spine.source), Replayer(spine.group, spine.lag_us)
    table.refresh()
    for begin_us, end_us in spans([table], 0, cut_us):
        replayer.add_updates(table.where(begin_us, end_us), 0)
        replayer.advance(end_us)
    rows = snapshot_rows(spine.group, spine.source, cut_us, replayer)
    Snapshots(settings.lake, spine.group, spine.source, spine.fingerprint, spine.definition).write(rows, cut_us)


def build(settings: StreamingSettings, spine: Spine | None = None) -> tuple[int, int]:
    """Build all shards of the group anew, from a spine's snapshot where one is given.

    Returns how many events were applied and entities written.
    """
    group = CUSTOMER_SPEND

    def newest_snapshot(up_to_us: int) -> Snapshot | None:
        if spine is None:
            return None
        found = latest_snapshot(settings.lake, group, spine.source, spine.fingerprint, up_to_us)
        if found is None:
            raise RuntimeError("the snapshot is missing")
        return found

    shards = {
        number: ShardBuild(
            group,
            ShardStore.of(RedisLink(settings), settings.redis_namespace, group, number),
            entity_prefix(settings.redis_namespace, group, number),
            lambda: 0,
        )
        for number in range(group.shards)
    }
    topic = Topic(CARD_TRANSACTIONS.topic, TOPIC_ID, tuple(range(COPIES)))
    tables = [EventsReader(settings.lake, CARD_TRANSACTIONS)]
    building = GroupBuild(group, tables, {topic.name: topic}, newest_snapshot, to_us(settings.pipeline_lag), 1 << 30)
    if not building.run(shards, dict):
        raise RuntimeError("records were deleted under the benchmark")
    with redis.Redis.from_url(settings.redis_url) as client:
        metas = [client.get(meta_key(settings.redis_namespace, group, number)) for number in range(group.shards)]
        entities = client.dbsize() - group.shards
    if any(not isinstance(meta, bytes) or decode_meta(meta).behind for meta in metas):
        raise RuntimeError("a shard is still behind")
    return building.events - int(entities), int(entities)
