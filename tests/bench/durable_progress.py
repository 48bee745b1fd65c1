"""How far the sinks of a stream job are, by what is durable: metas in Redis, commits of the Delta tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from redis.exceptions import RedisError

from shared_features.definitions import Catalogue, load_definitions
from shared_features.formats.offline_tables import (
    CUT_APP,
    WATERMARK_APP,
    events_table,
    features_table,
)
from streaming.errors import RefusedError
from streaming.kafka.brokers.topics import Topics
from streaming.online_store.server import StoreServer
from streaming.operations.status.positions import online_positions, readers
from streaming.settings import StreamingSettings

Progress = Callable[[], float]
"""The share of the work that is durable, 0 to 1."""


class OnlineProgress:
    """By the smallest position over the shards of each topic's groups."""

    def __init__(self, settings: StreamingSettings, records: Mapping[str, int]) -> None:
        self._groups = load_definitions(settings.definitions).groups
        self._redis = StoreServer(settings, within_s=3.0)
        self._topics = Topics(settings).describe(records)
        self._total = sum(records.values())

    def __call__(self) -> float:
        try:
            metas = self._redis.metas(self._groups)
        except (RedisError, RefusedError):
            return 0.0
        done = 0
        for topic in self._topics.values():
            positions = online_positions(readers(self._groups, topic.name), metas, topic)
            done += sum(offset + 1 for offset in positions.values())
        return done / self._total


class CommittedTable:
    """A Delta table's log, read as it grows: rows added, and the newest version of each application id."""

    def __init__(self, path: Path) -> None:
        self._log = path / "_delta_log"
        self._next = 0
        self.rows = 0
        self.versions: dict[str, int] = {}

    def look(self) -> None:
        """Take in the commits since the last look."""
        while (path := self._log / f"{self._next:020}.json").exists():
            for line in path.read_text().splitlines():
                action = json.loads(line)
                if "add" in action and action["add"].get("dataChange", True):
                    self.rows += json.loads(action["add"]["stats"])["numRecords"]
                if "txn" in action:
                    self.versions[action["txn"]["appId"]] = action["txn"]["version"]
            self._next += 1


class ArchiveProgress:
    """By the offsets that the events tables hold. The records of a bench are events: none is a dead letter, so that
    the table of dead letters only moves its positions, and takes its time over that.
    """

    def __init__(self, settings: StreamingSettings, records: Mapping[str, int]) -> None:
        catalogue = load_definitions(settings.definitions)
        self._events = {each.topic: CommittedTable(settings.lake / events_table(each)) for each in catalogue.sources}
        self._total = sum(records.values())

    def __call__(self) -> float:
        for table in self._events.values():
            table.look()
        return sum(self._held(topic, table) for topic, table in self._events.items()) / self._total

    def _held(self, topic: str, table: CommittedTable) -> int:
        return sum(last + 1 for app, last in table.versions.items() if app.startswith(f"offset:{topic}:"))


class MaterializeProgress:
    """By rows; all of it is done when every cut has reached the watermark of a complete archive."""

    def __init__(self, settings: StreamingSettings, records: Mapping[str, int]) -> None:
        self._catalogue: Catalogue = load_definitions(settings.definitions)
        self._lake = settings.lake
        self._archive = ArchiveProgress(settings, records)
        self._watermarks = {
            each.name: CommittedTable(self._lake / events_table(each)) for each in self._catalogue.sources
        }
        self._features = {
            (group.label, spine.name): CommittedTable(self._lake / features_table(group, spine))
            for group, spine in self._catalogue.spines
        }
        self._total = sum(records[spine.topic] for _, spine in self._catalogue.spines)

    @property
    def rows(self) -> int:
        """Feature rows written, over all groups."""
        return sum(table.rows for table in self._features.values())

    def __call__(self) -> float:
        archived = self._archive()
        for table in (*self._watermarks.values(), *self._features.values()):
            table.look()
        if archived == 1 and all(self._is_complete(group.label, spine.name) for group, spine in self._catalogue.spines):
            return 1.0
        return min(self.rows / self._total, 0.9999)

    def _is_complete(self, group: str, spine: str) -> bool:
        sources = {source.name for source in self._catalogue.group(group).sources} | {spine}
        watermark_us = min(self._watermarks[name].versions.get(WATERMARK_APP, 0) for name in sources)
        return self._features[group, spine].versions.get(CUT_APP, -1) >= watermark_us > 0


def all_three(settings: StreamingSettings, records: Mapping[str, int]) -> Progress:
    """The mean share of the three dataflows."""
    parts = [each(settings, records) for each in (OnlineProgress, ArchiveProgress, MaterializeProgress)]
    return lambda: sum(part() for part in parts) / len(parts)
