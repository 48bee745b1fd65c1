"""The streaming processes as actors: the product's parts, put together as its dataflows do, without Bytewax."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from shared_features.definitions import Catalogue, FeatureGroup
from shared_features.formats.offline_tables import CUT_APP, features_table
from shared_features.formats.online_state import entity_prefix
from shared_features.formats.shard_meta import Partition, ShardMeta
from shared_features.kernel.event_time import SECOND_US
from streaming.archive.dataflow import archive_tables, held_positions, route
from streaming.archive.marks import Marks
from streaming.archive.stored_log import Marked
from streaming.bootstrap.archive_coverage import archive_coverage
from streaming.bootstrap.group_build import GroupBuild
from streaming.bootstrap.judge import State, judge
from streaming.bootstrap.shard_build import ShardBuild
from streaming.bootstrap.shard_verdicts import Judge
from streaming.errors import RestartNeeded
from streaming.lake.events_reader import EventsReader
from streaming.lake.log_positions import LogPositions
from streaming.materialize.cut_source import Cut
from streaming.materialize.feature_sink import FeatureTable
from streaming.materialize.pass_step import PassRows
from streaming.materialize.passes import Passes
from streaming.online.absent_shard import AbsentShard
from streaming.online.entity_cache import EntityCache
from streaming.online.missing_records import MissingRecords
from streaming.online.redis_sink import Ending, ShardSet, ShardsPart
from streaming.online.router import Router
from streaming.online.shard import Shard
from streaming.online.sub_batch import SubBatch
from streaming.online_store.link import RedisLink
from streaming.online_store.shard_store import ShardStore, is_live
from streaming.online_store.shared_link import SharedLink
from streaming.online_store.stored_vectors import smallest_positions
from streaming.replay.snapshots import Snapshot, latest_snapshot
from streaming.replay.spine import Spine
from tests.simulation.kafka_model import Reader
from tests.simulation.redis_model import ModelLink

if TYPE_CHECKING:
    from tests.simulation.world import World

SLACK_US = SECOND_US
NAMESPACE = "s"
Held = tuple[int, list[tuple[int, int]]]


class Archive:
    """`streaming.archive.dataflow`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self) -> None:
        world = self._world
        topics = {(topic.name, topic.id): len(topic.partitions) for topic in world.kafka.topics.values()}
        tables = archive_tables(world.lake, Catalogue((), (), world.sources), topics, world.tables)
        reader = Reader(world.kafka, held_positions(tables))
        opened = {name: open_table() for name, open_table in tables.items()}
        marks = Marks("live", SLACK_US, world.kafka.clock_us)
        gathered: dict[str, list[Marked]] = defaultdict(list)
        r = world.chances.random
        while not world.settling or not world.archived():
            for polled in reader.poll():
                for name, marked in route(marks, polled):
                    gathered[name].append(marked)
            world.chances.point()
            for name in opened:
                if gathered[name] and (world.settling or r.random() < 0.5):
                    opened[name].take(gathered.pop(name))


class Online:
    """`streaming.online.dataflow`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._router = Router(world.groups, SLACK_US)
        self._idle_s = world.chances.random.choice((0.0, 1e9))

    def __call__(self) -> None:
        world, r = self._world, self._world.chances.random
        metas = self._metas()
        while not any(map(is_live, metas.values())):
            world.chances.rest()
            metas = self._metas()
        found = smallest_positions(world.groups, metas)
        reader = Reader(world.kafka, {(topic, number): offset for (topic, _, number), offset in found.items()})
        parts = [ShardsPart(built, Ending()) for built in self._sets()]
        queues: dict[str, list[list[SubBatch]]] = defaultdict(list)
        while True:
            polled = reader.poll()
            for label, batches in self._router(polled):
                queues[label].append(batches)
            if not polled and not any(queues.values()):
                world.chances.rest()
            for part in r.sample(parts, len(parts)):
                items = [(label, batches) for label in part.shards for batches in self._taken(queues[label])]
                if items:
                    part.write_batch([items])
            ends = world.settling and reader.at_end
            if (ends or r.random() < 0.02) and not any(queues.values()):
                for part in parts:
                    part.close()
                return

    def _taken(self, queue: list[list[SubBatch]]) -> list[list[SubBatch]]:
        """Some of what waits for a shard, from the front."""
        take = len(queue) if self._world.settling else self._world.chances.random.randint(0, len(queue))
        taken, queue[:take] = queue[:take], []
        return taken

    def _sets(self) -> list[ShardSet]:
        """The shards as one worker writes them, all together, or as several workers do, each on its own."""
        world = self._world
        together = world.chances.random.random() < 0.5
        sets: dict[str, dict[str, Shard | AbsentShard]] = defaultdict(dict)
        links: dict[str, SharedLink] = {}
        caches: dict[tuple[str, str], EntityCache] = {}
        for label, group, number in world.labels:
            name = "all" if together else label
            if name not in sets:
                links[name] = SharedLink(ModelLink(world.redis, world.chances))
            if (name, group.label) not in caches:
                caches[name, group.label] = self._cache(group)
            sets[name][label] = self._shard(group, number, label, caches[name, group.label], links[name].lane())
        return [ShardSet(shards, links[name].flush) for name, shards in sets.items()]

    def _cache(self, group: FeatureGroup) -> EntityCache:
        return EntityCache(group.layout, self._world.chances.random.choice((1, 2, 50)))

    def _metas(self) -> dict[str, ShardMeta | None]:
        return {label: self._store(group, number).read_meta() for label, group, number in self._world.labels}

    def _store(self, group: FeatureGroup, number: int, link: RedisLink | None = None) -> ShardStore:
        return ShardStore.of(link or ModelLink(self._world.redis, self._world.chances), NAMESPACE, group, number)

    def _shard(
        self,
        group: FeatureGroup,
        number: int,
        label: str,
        cache: EntityCache | None = None,
        link: RedisLink | None = None,
    ) -> Shard | AbsentShard:
        store = self._store(group, number, link)
        meta = store.read_meta()
        if meta is None or meta.behind:
            return AbsentShard(label, store)
        return Shard(
            group,
            label,
            store=store,
            meta=meta,
            entity_prefix=entity_prefix(NAMESPACE, group, number),
            cache=self._cache(group) if cache is None else cache,
            missing=Missing(self._world),
            metrics=self._world.metrics,
            clock=self._world.kafka.clock_us,
            idle_commit_s=self._idle_s,
        )


class Missing(MissingRecords):
    """Looks at the tables of the model."""

    def __init__(self, world: World) -> None:
        super().__init__(world.lake, world.sources, world.tables.wait)
        self._world = world

    def _archived(self, of: Partition) -> Held:
        table = EventsReader(self._lake, self._sources[of[0]], self._world.tables)
        table.refresh()
        stored = LogPositions.load(table, {of[:2]: of[2] + 1})
        return stored.offsets.get(of, -1), list(stored.gaps.get(of, ()))


class Materialize:
    """`streaming.materialize.dataflow` for one spine."""

    def __init__(self, world: World, spine: Spine) -> None:
        self._world, self._spine = world, spine

    def __call__(self) -> None:
        world, spine, r = self._world, self._spine, self._world.chances.random
        sink = FeatureTable(world.settings, spine, world.tables)
        cuts = world.tables.open(world.lake / features_table(spine.group, spine.source))
        tables = {source.name: EventsReader(world.lake, source, world.tables) for source in spine.sources}
        passes: Passes | None = None
        while True:
            settling = world.settling
            cuts.update_incremental()
            stored = cuts.transaction_version(CUT_APP)
            stored = -1 if stored is None else stored
            end = begin = max(stored, 0)
            watermark = min(table.refresh() for table in tables.values())
            if watermark > begin:
                end = watermark
                if not settling and begin and r.random() < 0.5:
                    end = begin + r.randint(1, watermark - begin)
            if end == begin:
                if settling:
                    return
                world.chances.rest()
                continue
            if passes is None:
                up_to_us = begin - spine.lateness_us
                found = latest_snapshot(
                    world.lake, spine.group, spine.source, spine.fingerprint, up_to_us, world.tables
                )
                world.chances.counts["materialize: from a snapshot"] += found is not None
                passes = Passes(spine, tables, begin, found)
            if passes.cut_us != begin:
                raise RestartNeeded(f"spine {spine.label}: its table is at {begin}, its replay at {passes.cut_us}")
            rows = passes.run(end)
            world.chances.counts["materialize: rows in time"] += 0 if settling else rows.num_rows
            states = passes.snapshot() if r.random() < 0.4 else None
            world.chances.counts["materialize: snapshot"] += states is not None
            sink.write_batch([PassRows(Cut(spine.label, stored, end), rows, states, passes.effects_us)])


class Bootstrap:
    """`streaming.bootstrap.process`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self) -> None:
        world = self._world
        while True:
            settling, live = world.settling, True  # before the look: what was seen earlier may be true no more
            for group in world.groups:
                states, judged = self._judged(group)
                live &= set(states.values()) <= {State.LIVE}
                if wanted := [number for number, state in states.items() if state is State.BUILD]:
                    self._build(group, wanted, judged)
            if live and settling:
                return
            world.chances.rest()

    def _judged(self, group: FeatureGroup) -> tuple[dict[int, State], Judge]:
        # The archive last: a gap that a shard has passed was recorded before.
        world = self._world
        topics = world.kafka.topics
        metas = {number: self._store(group, number).read_meta() for number in range(group.shards)}
        world.chances.point()
        starts = self._starts(group)
        tables = self._tables(group)
        for table in tables:
            table.refresh()
        held = archive_coverage(tables, topics)
        judged = partial(judge, group, archived=held, log_starts=starts)
        return {number: judged(meta).state for number, meta in metas.items()}, judged

    def _build(self, group: FeatureGroup, numbers: list[int], judged: Judge) -> None:
        world = self._world
        world.chances.counts["bootstrap: shards to build"] += len(numbers)
        clock = world.kafka.clock_us
        builds = {
            number: ShardBuild(
                group,
                self._store(group, number),
                entity_prefix(NAMESPACE, group, number),
                clock,
                lambda meta: judged(meta).state is State.BUILD,
            )
            for number in numbers
        }
        build = GroupBuild(
            group,
            self._tables(group),
            world.kafka.topics,
            lambda us: self._newest(group, us),
            0,
            world.build_bytes,
            world.chances.point,
        )
        if build.run(builds, lambda: self._starts(group)):
            world.chances.counts["bootstrap: shards live"] += len(numbers)

    def _newest(self, group: FeatureGroup, up_to_us: int) -> Snapshot | None:
        world = self._world
        spine = next(each for each in world.spines if each.group == group)
        found = latest_snapshot(world.lake, group, spine.source, spine.fingerprint, up_to_us, world.tables)
        world.chances.counts["bootstrap: from a snapshot"] += found is not None
        return found

    def _starts(self, group: FeatureGroup) -> dict[Partition, int]:
        own = {source.topic for source in group.sources}
        return {of: start for of, start in self._world.kafka.starts().items() if of[0] in own}

    def _tables(self, group: FeatureGroup) -> list[EventsReader]:
        return [EventsReader(self._world.lake, source, self._world.tables) for source in group.sources]

    def _store(self, group: FeatureGroup, number: int) -> ShardStore:
        link = ModelLink(self._world.redis, self._world.chances)
        return ShardStore.of(link, NAMESPACE, group, number)
