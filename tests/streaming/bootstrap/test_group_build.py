"""Shards that were built equal what all stored events make, whatever they were built from and whatever came then."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import redis
from structlog.testing import capture_logs

from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_state import decode_states
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.kernel.replay import read
from shared_features.kernel.tile_state import TileState
from streaming.archive.stored_log import Marked
from streaming.bootstrap import group_build, spans_ahead
from streaming.bootstrap.group_build import GroupBuild
from streaming.bootstrap.shard_build import ShardBuild
from streaming.errors import RestartNeeded
from streaming.kafka.brokers.topics import Topic
from streaming.lake.events_reader import EventsReader
from streaming.online_store.link import RedisLink
from streaming.online_store.shard_store import ShardStore
from streaming.replay.snapshots import UNREADABLE, Snapshot, latest_snapshot
from streaming.replay.spine import Spine
from streaming.settings import StreamingSettings, load_settings
from tests.depth import seeds
from tests.streaming.kafka_log import TOPIC_ID, Record
from tests.streaming.materialize.world import LATENESS, SOURCES, World
from tests.streaming.online.shards import stored_meta, stored_states, wanted_states
from tests.streaming.small_domain import PAYER, PAYMENTS, SHOP_RISK, SHOP_USE

GROUPS = (PAYER, SHOP_RISK, SHOP_USE)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def settings(server: RedisServer, tmp_path: Path) -> StreamingSettings:
    return load_settings(redis_url=server.url, redis_namespace=f"b{uuid4().hex[:8]}", lake=tmp_path)


def topics(world: World) -> dict[str, Topic]:
    counts = {SOURCES[name].topic: count for name, count in world.log.partitions.items()}
    return {name: Topic(name, TOPIC_ID, tuple(range(count))) for name, count in counts.items()}


class Build:
    """The build of all shards of a group, from a world's lake."""

    def __init__(
        self, settings: StreamingSettings, group: FeatureGroup, world: World, snapshots: bool, memory: int = 1 << 30
    ) -> None:
        self.shards = {
            number: ShardBuild(
                group,
                ShardStore.of(RedisLink(settings), settings.redis_namespace, group, number),
                entity_prefix(settings.redis_namespace, group, number),
                lambda: 0,
            )
            for number in range(group.shards)
        }
        spine = Spine(group, PAYMENTS, LATENESS)
        tables = [EventsReader(world.lake, source) for source in group.sources]
        self.build = GroupBuild(
            group,
            tables,
            topics(world),
            lambda up_to: latest_snapshot(world.lake, group, PAYMENTS, spine.fingerprint, up_to) if snapshots else None,
            0,
            memory,
        )

    def run(self) -> bool:
        return self.build.run(self.shards, dict)


def a_world(lake: Path, seed: int, steps: int = 250) -> World:
    world = World(lake, seed)
    for _ in range(steps):
        world.produce()
        if world.r.random() < 0.12:
            world.archive()
        if world.r.random() < 0.06:
            world.materialize(world.r.choice(world.spines))
    return world


def store_all(world: World) -> None:
    """Everything in the log is archived, and it is still the moment at which it ended: most entities can be read."""
    for name, table in world.open_archive().items():
        keys = [key for key in world.log.all() if key[0] == name]
        held = {key: table.positions.offsets.get((SOURCES[name].topic, TOPIC_ID, key[1]), -1) for key in keys}
        table.take([Marked(world.log.poll(key, held[key]), world.now) for key in keys])


def assert_whole(settings: StreamingSettings, group: FeatureGroup, world: World) -> None:
    """Entities that can still be read have the very bytes that all events of the log make; the others read empty."""
    wanted = wanted_states(group, world.log)
    with redis.Redis.from_url(settings.redis_url) as client:
        found = stored_states(client, settings, group)
        for number in range(group.shards):
            meta = stored_meta(client, settings, group, number)
            assert not meta.behind
            held = {(topic, part): position.offset for (topic, _, part), position in meta.vector.items()}
            assert held == {
                (SOURCES[name].topic, part): len(world.log.of((name, part))) - 1
                for name, part in world.log.all()
                if SOURCES[name] in group.sources
            }
    assert found
    assert found.items() <= wanted.items()
    for text in wanted.keys() - found.keys():
        assert reads_like_nothing(group, wanted[text], world.now), text


def reads_like_nothing(group: FeatureGroup, state: bytes, at_us: int) -> bool:
    states = TileState(group.layout)
    slots = states.add(2)
    decode_states(states, slots, [state, None], 0)
    values = read(states, slots, np.array([at_us, at_us]))
    return bool(np.array_equal(values[0], values[1], equal_nan=True))


@pytest.mark.parametrize("damage", [lambda state: state[:-1], lambda state: b"\x01" + state[1:9] + state[17:]])
def test_a_snapshot_that_cannot_be_read_is_passed_over(
    settings: StreamingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    """Its last state is cut short, or of the schema before: the build begins again, with the events tables alone."""
    world = a_world(tmp_path, 3)
    store_all(world)
    states, read = Snapshot.states, []

    def damaged(self: Snapshot, shards: Iterable[int] | None = None) -> Iterator[tuple[list[int | str], list[bytes]]]:
        for keys, found in states(self, shards):
            read.append(len(keys))
            yield keys, [*found[:-1], damage(found[-1])]

    monkeypatch.setattr(Snapshot, "states", damaged)
    with capture_logs() as lines:
        assert Build(settings, PAYER, world, snapshots=True).run()
    assert read
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == [UNREADABLE]
    assert_whole(settings, PAYER, world)


def test_a_build_that_meets_damaged_bytes_begins_again_and_does_not_meet_them_twice(
    settings: StreamingSettings,
) -> None:
    """They are from before the build, or were damaged meanwhile. Nothing is built on them."""
    prefix = entity_prefix(settings.redis_namespace, PAYER, 0)

    def build() -> ShardBuild:
        store = ShardStore.of(RedisLink(settings), settings.redis_namespace, PAYER, 0)
        return ShardBuild(PAYER, store, prefix, lambda: 0)

    with redis.Redis.from_url(settings.redis_url) as client:
        client.set(prefix + b"1", b"x")
        client.hset((prefix + b"2").decode(), "field", "value")
        with pytest.raises(RestartNeeded, match=r"2 states cannot be read and were emptied.*:e:1'"):
            build().load([3, 1, 2])
        found = build().load([3, 1, 2])
        assert found[0] is None
        assert None not in found[1:]
        assert stored_states(client, settings, PAYER).keys() == {"1", "2"}


@pytest.mark.parametrize("seed", seeds(quick=2, deep=6))
def test_built_from_the_events_table_and_from_snapshots_alike(
    settings: StreamingSettings, tmp_path: Path, seed: int
) -> None:
    world = a_world(tmp_path, seed)
    store_all(world)
    for snapshots in (False, True):
        own = settings.model_copy(update={"redis_namespace": f"{settings.redis_namespace}-{snapshots}"})
        for group in GROUPS:
            assert Build(own, group, world, snapshots).run()
            assert_whole(own, group, world)


@pytest.mark.parametrize("snapshots", [False, True])
def test_entities_that_do_not_fit_into_memory_are_built_in_parts(
    settings: StreamingSettings, tmp_path: Path, snapshots: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = a_world(tmp_path, 15)
    store_all(world)
    monkeypatch.setattr(group_build, "_FORGET_EVERY", 1)
    monkeypatch.setattr(spans_ahead, "_SPAN_ROWS", 20)
    monkeypatch.setattr(group_build, "_MOST_PARTS", 4)
    parts: list[int] = []
    monkeypatch.setattr(GroupBuild, "_fill", counting(GroupBuild._fill, parts))
    assert Build(settings, PAYER, world, snapshots, memory=1).run()
    assert parts == [1, 2, 4, 4, 4, 4]
    assert_whole(settings, PAYER, world)


def counting(fill: Any, parts: list[int]) -> Any:
    def counted(*given: Any) -> None:
        parts.append(given[-1])
        fill(*given)

    return counted


def test_what_is_stored_while_it_builds_is_in_it(settings: StreamingSettings, tmp_path: Path) -> None:
    world = a_world(tmp_path, 11, 150)
    build = Build(settings, PAYER, world, True)
    look = build.build._look
    looks = iter(range(1_000))

    def looking() -> object:
        if next(looks) == 1:  # it has read everything once, and writes
            for _ in range(60):
                world.produce()
            store_all(world)
        return look()

    build.build._look = looking  # type: ignore[method-assign,assignment]
    assert build.run()
    assert_whole(settings, PAYER, world)


def test_a_table_that_gets_its_first_events_meanwhile_is_read_whole(
    settings: StreamingSettings, tmp_path: Path
) -> None:
    world = World(tmp_path, 16)
    for number in range(40):
        at_us = world.now + number * 1_000_000
        event = {"id": number, "event_time": at_us, "shop": f"s{number % 3}"}
        world.log.of(("payments", 0)).append(Record(at_us, {**event, "payer": 1, "amount": 5, "note": None}))
        world.log.of(("outcomes", 0)).append(Record(at_us, {**event, "bad": 1}))
    tables = world.open_archive()
    tables["payments"].take([Marked(world.log.poll(("payments", number), -1)) for number in (0, 1)])
    build = Build(settings, SHOP_USE, world, False)
    look = build.build._look
    looks = iter(range(1_000))

    def looking() -> object:
        if next(looks) == 1:
            tables["outcomes"].take([Marked(world.log.poll(("outcomes", 0), -1))])
        return look()

    build.build._look = looking  # type: ignore[method-assign,assignment]
    assert build.run()
    world.now += 40_000_000
    assert_whole(settings, SHOP_USE, world)


def test_a_shard_that_was_built_meanwhile_is_left_alone(settings: StreamingSettings, tmp_path: Path) -> None:
    world = a_world(tmp_path, 17, 60)
    store_all(world)
    assert Build(settings, SHOP_USE, world, False).run()
    key = meta_key(settings.redis_namespace, SHOP_USE, 0)
    with redis.Redis.from_url(settings.redis_url) as client:
        before = client.get(key)
        with pytest.raises(RestartNeeded, match="has built a shard meanwhile"):
            ShardBuild(
                SHOP_USE,
                ShardStore.of(RedisLink(settings), settings.redis_namespace, SHOP_USE, 0),
                entity_prefix(settings.redis_namespace, SHOP_USE, 0),
                lambda: 0,
                lambda meta: meta is None,
            )
        assert client.get(key) == before


def test_whoever_commits_in_between_takes_the_shard(settings: StreamingSettings, tmp_path: Path) -> None:
    world = a_world(tmp_path, 12, 100)
    store_all(world)
    first = Build(settings, PAYER, world, False)
    second = Build(settings, PAYER, world, False)
    with pytest.raises(RestartNeeded):
        first.run()
    assert second.run()
    assert_whole(settings, PAYER, world)


def test_records_that_nobody_has_any_more_keep_it_behind(settings: StreamingSettings, tmp_path: Path) -> None:
    world = a_world(tmp_path, 13, 100)
    store_all(world)
    build = Build(settings, PAYER, world, False)
    end = len(world.log.of(("payments", 0)))
    assert not build.build.run(build.shards, lambda: {("payments", TOPIC_ID, 0): end + 5})
    with redis.Redis.from_url(settings.redis_url) as client:
        assert stored_meta(client, settings, PAYER, 0).behind


def test_an_earlier_build_is_not_read(settings: StreamingSettings, tmp_path: Path) -> None:
    world = a_world(tmp_path, 14, 120)
    store_all(world)
    assert Build(settings, SHOP_USE, world, False).run()
    with redis.Redis.from_url(settings.redis_url) as client:
        old = stored_meta(client, settings, SHOP_USE, 0)
        Build(settings, SHOP_USE, world, False)
        new = stored_meta(client, settings, SHOP_USE, 0)
        assert new.behind
        assert new.vector == {}
        assert new.build_id != old.build_id
