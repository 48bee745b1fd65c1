"""The bootstrap process: looks at every shard of the online store, judges it, and builds it if necessary."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

from deltalake.exceptions import DeltaError

from shared_features.definitions import FeatureGroup, definition_text, load_definitions
from shared_features.formats.online_state import definition_key, entity_prefix
from streaming.bootstrap.group_build import GroupBuild
from streaming.bootstrap.judge import State, Verdict
from streaming.bootstrap.shard_build import ShardBuild
from streaming.bootstrap.shard_verdicts import Judge, ShardVerdicts, log_starts
from streaming.errors import EXIT_OK, RestartNeeded, StoppedWaiting
from streaming.job.clock import system_clock_us
from streaming.job.stopping import stop_requested, wait
from streaming.kafka.brokers.topics import Topics
from streaming.lake.events_reader import EventsReader, log_erased
from streaming.lake.tables import lake_outage
from streaming.log import get_log
from streaming.online_store.lease import Lease, job_name
from streaming.online_store.link import RedisLink
from streaming.online_store.redis_outage import RedisOutage
from streaming.online_store.shard_store import ShardStore, shard_label
from streaming.replay.snapshots import Snapshot, latest_snapshot
from streaming.replay.spine import Spine, settings_spines
from streaming.settings import StreamingSettings

_LOG = get_log("bootstrap")
_LOOK_EVERY_S = 1.0
_JUDGE_EVERY_S = 5.0
"""How often Kafka and the lake are asked while every shard is live. Redis is asked every second."""
_LAKE_AWAY = (OSError, DeltaError)


def run(settings: StreamingSettings) -> int:
    """Build every shard that must be built, until asked to stop. Returns the exit code."""
    with suppress(StoppedWaiting):
        bootstrap = Bootstrap(settings)
        while not stop_requested():
            if not bootstrap.rests():
                bootstrap.step()
            wait(_LOOK_EVERY_S)
    return EXIT_OK


def bootstrap_once(settings: StreamingSettings) -> int:
    """Build the shards that must be built now, and end when every shard is live. Returns the exit code."""
    with suppress(StoppedWaiting):
        bootstrap = Bootstrap(settings)
        while not bootstrap.step():
            wait(_LOOK_EVERY_S)
    return EXIT_OK


class Bootstrap:
    """Every shard of every group of the definitions."""

    def __init__(self, settings: StreamingSettings) -> None:
        self._settings = settings
        self._groups = load_definitions(settings.definitions).groups
        self._spines = settings_spines(settings)
        self._topics = Topics(settings)
        self._redis = RedisOutage()
        self._link = RedisLink(settings, self._redis)
        self._lease = Lease(RedisLink(settings, self._redis), settings.redis_namespace, "bootstrap", job_name(settings))
        self._lake = lake_outage(_LOG)
        self._verdicts = ShardVerdicts(settings, self._groups, self._topics, self._link)
        self._judged_at = float("-inf")

    def rests(self) -> bool:
        """Whether all shards were live a moment ago, and still are by their metas. Keeps the lease meanwhile."""
        if time.monotonic() - self._judged_at >= _JUDGE_EVERY_S:
            return False
        self._lease.take()
        return self._verdicts.still_live()

    def step(self) -> bool:
        """Look at all shards, and build those that need it. Returns whether all were live at the look.

        Stands by while another job builds: two jobs would take the shards from each other, and neither would finish.
        """
        self._lease.take()
        self._judged_at = float("-inf")
        try:
            verdicts = self._verdicts.look()
            for group in self._groups:
                numbers = [
                    number
                    for number in range(group.shards)
                    if verdicts[shard_label(group, number)].state is State.BUILD
                ]
                if numbers:
                    self._build(group, numbers, self._verdicts.judge(group))
        except RestartNeeded as error:
            self._verdicts.reopen_tables()
            _LOG.warning("checking the shards again", reason=str(error))
            return False
        except _LAKE_AWAY as error:
            self._verdicts.reopen_tables()
            self._lake.failed(reason=str(error))
            return False
        self._lake.answered()
        live = all(verdict.state is State.LIVE for verdict in verdicts.values())
        if live:
            self._judged_at = time.monotonic()
        return live

    def verdicts(self) -> dict[str, Verdict]:
        """The verdict of every shard, by its label. Waits for Kafka and Redis. The lake raises OSError, DeltaError."""
        return self._verdicts.look()

    def _build(self, group: FeatureGroup, numbers: Iterable[int], judged: Judge) -> None:
        namespace, started_us = self._settings.redis_namespace, system_clock_us()
        topics = self._topics.describe({source.topic for source in group.sources})
        builds = {
            number: ShardBuild(
                group,
                ShardStore.of(RedisLink(self._settings, self._redis), namespace, group, number),
                entity_prefix(namespace, group, number),
                system_clock_us,
                lambda meta: judged(meta).state is State.BUILD,
            )
            for number in numbers
        }
        tables = [EventsReader(self._settings.lake, source) for source in group.sources]
        log_erased("bootstrap", tables)
        spines = [spine for spine in self._spines.values() if spine.group == group]

        def newest(up_to_us: int) -> Snapshot | None:
            return self._newest_snapshot(spines, up_to_us)

        self._keep_definition(group)
        with self._lease.kept() as still_ours:
            build = GroupBuild(
                group,
                tables,
                topics,
                newest,
                spines[0].lag_us if spines else 0,
                self._settings.bootstrap_memory << 20,
                still_ours,
            )
            built = build.run(builds, lambda: log_starts(self._topics, topics))
        if built:
            seconds = (system_clock_us() - started_us) / 1e6
            _LOG.info("built shards, now live", group=group.label, shards=sorted(builds), events=build.events,
                      seconds=round(seconds, 2))  # fmt: skip

    def _keep_definition(self, group: FeatureGroup) -> None:
        """Store the definition beside the states that it makes, so that a later change of it can be named."""
        self._link.call("SET", definition_key(self._settings.redis_namespace, group), definition_text(group))

    def _newest_snapshot(self, spines: Iterable[Spine], up_to_us: int) -> Snapshot | None:
        found = (
            latest_snapshot(self._settings.lake, spine.group, spine.source, spine.fingerprint, up_to_us)
            for spine in spines
        )
        return max((each for each in found if each is not None), key=lambda each: each.cut_us, default=None)
