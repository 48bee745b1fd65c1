"""Building shards of one group: a snapshot, the events after it, then what arrived meanwhile, then live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.errors import FormatVersionError
from shared_features.formats.shard_meta import Partition
from streaming.bootstrap.archive_coverage import ArchiveCoverage, archive_coverage
from streaming.bootstrap.shard_build import ShardBuild
from streaming.bootstrap.shard_states import ShardStates, effect_mask
from streaming.bootstrap.spans_ahead import read_ahead
from streaming.errors import StoppedWaiting
from streaming.job.stopping import stop_requested
from streaming.kafka.brokers.topics import Topic
from streaming.lake.event_rows import EventRows
from streaming.lake.events_reader import EventsReader, about
from streaming.log import get_log
from streaming.replay.entity_states import EntityKey, Owners, built_from_us
from streaming.replay.snapshots import UNREADABLE, Snapshot

_LOG = get_log("bootstrap")
_WRITTEN_AT_ONCE = 1_000  # entities per commit: a few milliseconds for Redis
_FEW_EVENTS = 20_000
"""What arrived meanwhile is read again and again, until so few events are left that Kafka delivers them in a moment."""

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
        states.forget(at.watermark_us - self._group.kept_us)

    def _more(self, states: ShardStates, shards: Written, before: ArchiveCoverage, at: ArchiveCoverage) -> int:
        """Apply what was stored since an earlier refresh. Returns the number of these events."""
        if at.vector == before.vector:
            return 0
        conditions = {table.source.name: before.condition_beyond(table.source.topic) for table in self._tables}

        def wanted(table: EventsReader, arrived: EventRows) -> NDArray[np.bool_]:
            return arrived.offset > before.held_of_rows(table.source.topic, arrived.partition)

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
        for number, (table, arrived, until_us) in enumerate(
            read_ahead(self._tables, low_us, high_us, conditions or {})
        ):
            if stop_requested():
                raise StoppedWaiting("asked to stop during a build; the next start repeats the build")
            self._meanwhile()
            if conditions is None:
                self._check_memory(states)
                if number % _FORGET_EVERY == 0:
                    states.forget(until_us - self._group.kept_us)
            mask = wanted(table, arrived)
            states.add(arrived, mask)
            self._done += int(np.count_nonzero(mask))
            for build in shards.values():
                build.tell(self._done, self._total)
        states.settle()

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
