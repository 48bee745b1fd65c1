"""The verdict of every shard: asks Redis, Kafka and the lake, judges each shard by it, and says what changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.shard_meta import Partition, ShardMeta
from streaming.bootstrap.archive_coverage import archive_coverage
from streaming.bootstrap.judge import State, Verdict, judge
from streaming.bootstrap.lake_mark import another_lake
from streaming.job.waits import Wait
from streaming.kafka.brokers.topics import Topic, Topics, partitions_of
from streaming.lake.events_reader import EventsReader
from streaming.log import get_log
from streaming.online_store.link import RedisLink
from streaming.online_store.server import StoreServer
from streaming.online_store.shard_store import shard_label
from streaming.online_store.stored_vectors import shard_metas
from streaming.settings import StreamingSettings

_LOG = get_log("bootstrap")
_WAITING = "waiting to rebuild shard"
Judge = Callable[[ShardMeta | None], Verdict]
"""The verdict for a shard with this meta, given what was found of the archive and the logs."""


class ShardVerdicts:
    """Of every shard of these groups."""

    def __init__(
        self, settings: StreamingSettings, groups: Sequence[FeatureGroup], topics: Topics, link: RedisLink
    ) -> None:
        self._settings, self._groups, self._topics, self._link = settings, groups, topics, link
        self._server = StoreServer(settings)
        self._tables: dict[str, EventsReader] = {}
        self._judges: dict[str, Judge] = {}
        self._said: dict[str, str] = {}
        self._waits: dict[str, Wait] = {}

    def look(self) -> dict[str, Verdict]:
        """Of each shard, by its label. Waits for Kafka and Redis. The lake raises OSError and DeltaError.

        Raises RestartNeeded where entities were erased from a table. The judges of this look stay for `judge` and
        `still_live`.
        """
        # The archive last, so that a gap that a shard has passed is already recorded.
        topics = self._topics.describe({source.topic for group in self._groups for source in group.sources})
        metas = shard_metas(self._server, self._groups)
        starts = log_starts(self._topics, topics)
        tables = {source.name: self._table(source) for group in self._groups for source in group.sources}
        for table in tables.values():
            table.refresh()
        verdicts: dict[str, Verdict] = {}
        for group in self._groups:
            held = archive_coverage((tables[source.name] for source in group.sources), topics)
            own = {of: start for of, start in starts.items() if of[0] in {source.topic for source in group.sources}}
            self._judges[group.label] = partial(judge, group, archived=held, log_starts=own)
            for number in range(group.shards):
                label = shard_label(group, number)
                verdicts[label] = self._judges[group.label](metas[label])
        other = another_lake(self._link, self._settings.redis_namespace, self._settings.lake)
        if other is not None:
            verdicts = dict.fromkeys(verdicts, Verdict(State.WAIT, other))
        self._say(verdicts)
        return verdicts

    def judge(self, group: FeatureGroup) -> Judge:
        """By what the last look found of the archive and the logs."""
        return self._judges[group.label]

    def still_live(self) -> bool:
        """Whether all shards are live by their metas now, and by what the last look found of everything else."""
        metas = shard_metas(self._server, self._groups)
        verdicts = (
            self._judges[group.label](metas[shard_label(group, number)])
            for group in self._groups
            for number in range(group.shards)
        )
        return all(verdict.state is State.LIVE for verdict in verdicts)

    def reopen_tables(self) -> None:
        """The next look opens the events tables again: entities may have been erased from them."""
        self._tables = {}

    def _table(self, source: EventSource) -> EventsReader:
        if source.name not in self._tables:
            self._tables[source.name] = EventsReader(self._settings.lake, source)
        return self._tables[source.name]

    def _say(self, verdicts: Mapping[str, Verdict]) -> None:
        for label, verdict in verdicts.items():
            if verdict.reason and self._said.get(label) != verdict.reason:
                doing = "rebuilding shard" if verdict.state is State.BUILD else _WAITING
                _LOG.info(doing, shard=label, reason=verdict.reason)
            self._said[label] = verdict.reason
            wait = self._waits.setdefault(label, Wait(_WAITING))
            if verdict.state is State.WAIT:
                wait.begin(shard=label, reason=verdict.reason)
            else:
                wait.end()


def log_starts(topics: Topics, described: Mapping[str, Topic]) -> dict[Partition, int]:
    """The first offset that each log still holds."""
    return {
        (name, described[name].id, number): bounds.low
        for (name, number), bounds in topics.bounds(partitions_of(described.values())).items()
    }
