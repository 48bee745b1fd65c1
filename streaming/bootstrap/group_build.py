"""Building shards of one group: a snapshot, the events after it, then what arrived meanwhile, then live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.errors import FormatVersionError
from shared_features.formats.shard_meta import Partition, VectorEntry
from streaming.bootstrap.archive_coverage import ArchiveCoverage, archive_coverage
from streaming.bootstrap.shard_build import ShardBuild
from streaming.bootstrap.shard_states import ShardStates, effect_mask
from streaming.errors import StoppedWaiting
from streaming.job.stopping import stop_requested
from streaming.kafka.topics import Topic
from streaming.lake.events_reader import EventRows, EventsReader, about, spans
from streaming.log import get_log
from streaming.replay.entity_states import EntityKey, Owners, built_from_us
from streaming.replay.snapshots import UNREADABLE, Snapshot

_LOG = get_log("bootstrap")
_WRITTEN_AT_ONCE = 1_000  # entities per commit: a few milliseconds for Redis
_FEW_EVENTS = 20_000
"""What arrived meanwhile is read again and again, until so few events are left that Kafka delivers them in a moment."""

_SPAN_ROWS = 250_000  # events read at once; memory holds three spans
_FORGET_EVERY = 8  # spans; forgetting has to wait for the states

_MOST_PARTS = 1024  # with more parts, the number of entities is not what takes the memory

NewestSnapshot = Callable[[int], Snapshot | None]
"""The latest snapshot of the group whose cut is not above an instant."""
Written = Mapping[int, ShardBuild]
Mask = Callable[[EventsReader, EventRows], NDArray[np.bool_]]


class GroupBuild:
    """`tables`: the events tables of the group's sources, for this build alone. `topics`: their topics, by name.

    `memory_bytes`: about how much memory the states may take at once. `meanwhile` is called often.
    """

    def __init__(
        self,
        group: FeatureGroup,
        tables: Sequence[EventsReader],
        topics: Mapping[str, Topic],
        newest_snapshot: NewestSnapshot,
        lag_us: int,
        memory_bytes: int,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._group, self._tables, self._topics = group, tables, topics
        self._newest_snapshot, self._lag_us, self._memory_bytes = newest_snapshot, lag_us, memory_bytes
        self._meanwhile = meanwhile
        self._future_us = max(source.tolerated_future_us for source in group.sources)
        self._done = self._total = 0

    def run(self, shards: Written, log_starts: Callable[[], Mapping[Partition, int]]) -> bool:
        """Build the shards and make them live. False if records were deleted that the archive has not passed yet.

        Raises RestartNeeded if another process has taken a shard, StoppedWaiting if asked to stop. In both cases the
        shards stay behind and are rebuilt.
        """
        at = self._look()
        self._first(shards, at)
        came = _FEW_EVENTS + 1
        while came > _FEW_EVENTS:
            before, at = at, self._look()
            with closing(ShardStates(self._group, shards, load=partial(_load, shards))) as states:
                came = self._more(states, shards, before, at)
                self._write(states, shards)
        if any(at.held(partition) + 1 < start for partition, start in log_starts().items()):
            return False
        for build in shards.values():
            build.finish(dict(at.vector), at.gaps, at.erasures)
        return True

    @property
    def events(self) -> int:
        """The number of events read and entities written so far."""
        return self._done

    def _look(self) -> ArchiveCoverage:
        for table in self._tables:
            table.refresh()
        return archive_coverage(self._tables, self._topics)

    def _first(self, shards: Written, at: ArchiveCoverage) -> None:
        """Build what is stored at a refresh, in as many parts of the entities as the memory requires."""
        snapshot = self._newest_snapshot(at.watermark_us)
        part, parts = 0, 1
        while part < parts:
            try:
                with closing(ShardStates(self._group, shards, (part, parts))) as states:
                    self._fill(states, shards, at, snapshot, parts)
                    self._write(states, shards)
                part += 1
            except _TooLarge:
                part, parts = 0, 2 * parts  # what was written is written again, with the same content
                _LOG.info(
                    "splitting the build, its states exceed bootstrap_memory", group=self._group.label, parts=parts
                )
            except FormatVersionError as error:
                if snapshot is None:
                    raise
                _LOG.warning(UNREADABLE, group=self._group.label, cut_us=snapshot.cut_us, error=str(error))
                part, snapshot = 0, None

    def _fill(
        self, states: ShardStates, shards: Written, at: ArchiveCoverage, snapshot: Snapshot | None, parts: int
    ) -> None:
        first_us = at.watermark_us - built_from_us(self._group)
        if snapshot is not None:
            first_us = snapshot.cut_us - self._lag_us - self._future_us - 1
            for restored in snapshot.states(shards):
                self._meanwhile()
                states.restore(*restored)
                self._check_memory(states)
        events = about(self._tables, first_us, at.newest_us + 1)
        self._total = max(self._total, self._done + events) if self._done else events * parts
        said = {"group": self._group.label, "shards": sorted(shards), "events": events}
        _LOG.info("building shards", **said, from_snapshot=snapshot is not None)

        def wanted(table: EventsReader, arrived: EventRows) -> NDArray[np.bool_]:
            if snapshot is None:
                return np.ones(len(arrived), np.bool_)
            return effect_mask(arrived, snapshot.cut_us, self._lag_us)

        self._read(states, shards, max(0, first_us), at.newest_us + 1, None, wanted)
        # Any later event would prune everything of an entity that was without events for so long.
        states.forget(at.watermark_us - 2 * self._group.readable_us)

    def _more(self, states: ShardStates, shards: Written, before: ArchiveCoverage, at: ArchiveCoverage) -> int:
        """Apply what was stored since an earlier refresh. Returns the number of these events."""
        if at.vector == before.vector:
            return 0
        conditions = {table.source.name: _beyond(table.source.topic, before.vector) for table in self._tables}

        def wanted(table: EventsReader, arrived: EventRows) -> NDArray[np.bool_]:
            return arrived.offset > _held(table.source.topic, before.vector, arrived.partition)

        done = self._done
        self._read(states, shards, before.watermark_us, at.newest_us + 1, conditions, wanted)
        return self._done - done

    def _read(
        self,
        states: ShardStates,
        shards: Written,
        low_us: int,
        high_us: int,
        conditions: Mapping[str, str | None] | None,
        wanted: Mask,
    ) -> None:
        for number, (table, arrived, until_us) in enumerate(self._arrived(low_us, high_us, conditions or {})):
            if stop_requested():
                raise StoppedWaiting("asked to stop during a build; the next start repeats the build")
            self._meanwhile()
            if conditions is None:
                self._check_memory(states)
                if number % _FORGET_EVERY == 0:
                    states.forget(until_us - 2 * self._group.readable_us)
            mask = wanted(table, arrived)
            states.add(arrived, mask)
            self._done += int(np.count_nonzero(mask))
            for build in shards.values():
                build.tell(self._done, self._total)
        states.settle()

    def _arrived(
        self, low_us: int, high_us: int, conditions: Mapping[str, str | None]
    ) -> Iterator[tuple[EventsReader, EventRows, int]]:
        """Every span of every table. The next span is read while the present one is used."""
        wanted = ((table, *span) for span in spans(self._tables, low_us, high_us, _SPAN_ROWS) for table in self._tables)
        with ThreadPoolExecutor(1, "read") as reader:
            ahead = None
            for table, begin_us, end_us in wanted:
                coming = reader.submit(table.where, begin_us, end_us, conditions.get(table.source.name))
                if ahead is not None:
                    yield ahead[0], ahead[1].result(), ahead[2]
                ahead = table, coming, begin_us
            if ahead is not None:
                yield ahead[0], ahead[1].result(), ahead[2]

    def _check_memory(self, states: ShardStates) -> None:
        if states.nbytes > self._memory_bytes and states.parts < _MOST_PARTS:
            raise _TooLarge

    def _write(self, states: ShardStates, shards: Written) -> None:
        self._total = max(self._total, self._done) + states.changed
        for number, build in shards.items():
            for keys, encoded in states.take_changed(number, build.build_id, _WRITTEN_AT_ONCE, build.owners):
                if stop_requested():
                    raise StoppedWaiting("asked to stop during a build; the next start repeats the build")
                self._meanwhile()
                build.write(keys, encoded)
                self._done += len(keys)
                for each in shards.values():
                    each.tell(self._done, self._total)


class _TooLarge(Exception):
    """The states of these entities need more memory than they may take."""


def _load(shards: Written, number: int, keys: list[EntityKey]) -> tuple[list[bytes | None], int, Owners]:
    return shards[number].load(keys), shards[number].build_id, shards[number].owners(keys)


def _held(topic: str, vector: Mapping[Partition, VectorEntry], partitions: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64[n]: the vector's last offset for each row's partition, -1 for an unknown partition."""
    offsets = {number: position.offset for (name, _, number), position in vector.items() if name == topic}
    numbers, index = np.unique(partitions, return_inverse=True)
    return np.array([offsets.get(number, -1) for number in numbers.tolist()], np.int64)[index]


def _beyond(topic: str, vector: Mapping[Partition, VectorEntry]) -> str | None:
    """The condition for the rows of a topic's table beyond a vector; None if the vector has no partition."""
    known = {number: position.offset for (name, _, number), position in vector.items() if name == topic}
    if not known:
        return None
    parts = [f"(kafka_partition = {number} AND kafka_offset > {offset})" for number, offset in sorted(known.items())]
    return f"({' OR '.join([*parts, f'kafka_partition > {max(known)}'])})"
