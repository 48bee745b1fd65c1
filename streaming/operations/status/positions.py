"""How far each sink has durably stored each partition. Later events are only in Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka import KafkaException
from deltalake.exceptions import DeltaError
from redis.exceptions import RedisError

from shared_features.definitions import Catalogue, FeatureGroup, load_definitions
from streaming.errors import RefusedError
from streaming.kafka.brokers.topics import Bounds, PartitionKey, Topic, Topics, partitions_of
from streaming.lake.look import LakeLook
from streaming.lake.stored_positions import NEVER
from streaming.online_store.server import GroupMetas, StoreServer
from streaming.settings import StreamingSettings

Positions = dict[PartitionKey, int]
"""(topic, partition) -> last offset, -1 before the first."""


class DurablePositions:
    """Sink -> the last offset of each partition that the sink reads. A sink that cannot be reached counts as empty.

    online: the smallest offset over all shards of all groups that read the topic. archive: the smaller one of events
    and dead letters. Empty while Kafka cannot be reached, because only Kafka knows the topics. A call keeps the
    connections for the next one, and asks Kafka for the topics only once.
    """

    def __init__(self, settings: StreamingSettings) -> None:
        self._catalogue = load_definitions(settings.definitions)
        self._kafka = Topics(settings, within_s=5.0)
        self._redis = StoreServer(settings, within_s=3.0)
        self._lake = LakeLook(settings.lake)
        self._topics: dict[str, Topic] = {}

    def __call__(self) -> dict[str, Positions]:
        names = {source.topic for source in self._catalogue.sources}
        if len(self._topics) < len(names):
            try:
                self._topics = self._kafka.describe(names)
            except KafkaException:
                return {}
        return {"online": self._online(), "archive": self._archive()}

    def _online(self) -> Positions:
        groups = self._catalogue.groups
        try:
            metas: GroupMetas = self._redis.metas(groups)
        except (RedisError, RefusedError):
            metas = {}
        found: Positions = {}
        for topic in self._topics.values():
            found |= online_positions(readers(groups, topic.name), metas, topic)
        return found

    def _archive(self) -> Positions:
        try:
            return archive_positions(self._lake, self._catalogue, self._topics)
        except (OSError, DeltaError):
            return dict.fromkeys(partitions_of(self._topics.values()), NEVER)


def readers(groups: Iterable[FeatureGroup], topic: str) -> list[FeatureGroup]:
    """The groups that are updated by the events of a topic."""
    return [group for group in groups if any(source.topic == topic for source in group.sources)]


def online_positions(groups: Iterable[FeatureGroup], metas: GroupMetas, topic: Topic) -> Positions:
    """The smallest position over all shards of these groups; empty when there is no group."""
    shards = [meta for group in groups for meta in metas.get(group.label, (None,) * group.shards)]
    if not shards:
        return {}
    found = {}
    for number in topic.partitions:
        of = (topic.name, topic.id, number)
        known = [None if meta is None else meta.vector.get(of) for meta in shards]
        found[topic.name, number] = min(NEVER if each is None else each.offset for each in known)
    return found


def group_lag(
    group: FeatureGroup, topics: Mapping[str, Topic], bounds: Mapping[PartitionKey, Bounds], metas: GroupMetas
) -> int | None:
    """The offsets of the group's topics that its slowest shard has not applied, over all partitions."""
    lag = 0
    for name in {source.topic for source in group.sources}:
        if name not in topics:
            return None
        for partition, offset in online_positions([group], metas, topics[name]).items():
            if partition not in bounds:
                return None
            log = bounds[partition]
            lag += max(0, log.high - max(offset + 1, log.low))
    return lag


def archive_positions(lake: LakeLook, catalogue: Catalogue, topics: Mapping[str, Topic]) -> Positions:
    """Raises OSError or DeltaError when the lake cannot be read."""
    found: Positions = {}
    for source in catalogue.sources:
        if source.topic in topics:
            found |= lake.stored_offsets(source, topics[source.topic])
    return found
