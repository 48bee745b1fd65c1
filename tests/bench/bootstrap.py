"""Building a group's shards from the events table alone, through the kernel, into Redis."""

from __future__ import annotations

import tempfile
from pathlib import Path

import redis

from deploy.embedded.redis_server import RedisServer
from shared_features.event_sources import CARD_TRANSACTIONS
from shared_features.feature_groups.customer_spend import CUSTOMER_SPEND
from shared_features.formats.online_state import decode_meta, entity_prefix, meta_key
from shared_features.kernel.event_time import to_us
from streaming.bootstrap.group_build import GroupBuild
from streaming.bootstrap.shard_build import ShardBuild
from streaming.materialize.arrived import ArrivedEvents, spans
from streaming.online.redis_link import RedisAway, RedisLink
from streaming.online.shard_store import ShardStore
from streaming.settings import StreamingSettings, load_settings
from streaming.topics import Topic
from tests.bench.figures import Figure, stopwatch
from tests.bench.filled_lake import TOPIC_ID, fill_lake
from tests.bench.transactions import read_transactions

COPIES = 4


def measure(file: Path | None) -> list[Figure]:
    rows = read_transactions(file)
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder) / "redis") as store:
        lake = Path(folder) / "lake"
        stored = fill_lake(lake, CARD_TRANSACTIONS, rows, COPIES)
        settings = load_settings(lake=lake, redis_url=store.url)
        with stopwatch() as reading:
            table = ArrivedEvents(lake, CARD_TRANSACTIONS)
            table.watermark_us()
            for span in spans([table], 0, int(rows.event_time_us[-1]) + 1):
                table.where(*span)
        build(settings)  # once, for what is compiled and cached
        with stopwatch() as building:
            events, entities = build(settings)
        return [
            Figure(
                "bootstrap from the events table, read, applied and written",
                events / building.elapsed,
                "events/s",
                stored / reading.elapsed,
                "reading the table alone",
            ),
            Figure("entities that it wrote", entities, "entities"),
        ]


def build(settings: StreamingSettings) -> tuple[int, int]:
    """Build all shards of the group anew; returns how many events were applied and entities written."""
    group = CUSTOMER_SPEND
    shards = {
        number: ShardBuild(
            group,
            ShardStore.of(RedisLink(settings, RedisAway()), settings.redis_namespace, group, number),
            entity_prefix(settings.redis_namespace, group, number),
            lambda: 0,
        )
        for number in range(group.shards)
    }
    topic = Topic(CARD_TRANSACTIONS.topic, TOPIC_ID, tuple(range(COPIES)))
    tables = [ArrivedEvents(settings.lake, CARD_TRANSACTIONS)]
    building = GroupBuild(group, tables, {topic.name: topic}, lambda _: None, to_us(settings.pipeline_lag), 1 << 30)
    if not building.run(shards, dict):
        raise RuntimeError("records were deleted under the benchmark")
    with redis.Redis.from_url(settings.redis_url) as client:
        metas = [client.get(meta_key(settings.redis_namespace, group, number)) for number in range(group.shards)]
        entities = client.dbsize() - group.shards
    if any(not isinstance(meta, bytes) or decode_meta(meta).behind for meta in metas):
        raise RuntimeError("a shard is still behind")
    return building.events - int(entities), int(entities)
