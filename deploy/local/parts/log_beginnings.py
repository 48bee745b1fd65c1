"""Where the logs of a new simulator begin: behind every position that Redis or the lake holds of earlier ones.

The simulator forgets its records when it ends. An offset that returned with another record behind it would be taken
for one that was applied already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared_features.definitions import Catalogue, EventSource
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, events_table
from streaming.archive.archived_sources import archived
from streaming.kafka.brokers.topics import Topic, id_in_embedded_log
from streaming.lake.look import LakeLook
from streaming.online_store.server import StoreServer
from streaming.settings import StreamingSettings


def log_beginnings(settings: StreamingSettings, catalogue: Catalogue, partitions: int) -> dict[str, Sequence[int]]:
    """Topic -> the first offset of each partition, that of the prediction log too. Redis must answer."""
    store = StoreServer(settings, within_s=10.0)
    try:
        metas = [meta for shards in store.metas(catalogue.groups).values() for meta in shards if meta is not None]
    finally:
        store.close()
    lake = LakeLook(settings.lake)
    begin: dict[str, Sequence[int]] = {}
    for source in archived(settings).sources:
        topic = Topic(
            source.topic, id_in_embedded_log(str(settings.embedded_log), source.topic), tuple(range(partitions))
        )
        stored = [dict(_archived(lake, source, topic))]
        for meta in metas:
            of_topic = {key[2]: entry.offset for key, entry in meta.vector.items() if key[:2] == (topic.name, topic.id)}
            stored.append(of_topic)
        begin[topic.name] = tuple(1 + max(each.get(number, -1) for each in stored) for number in topic.partitions)
    return begin


def _archived(lake: LakeLook, source: EventSource, topic: Topic) -> Iterator[tuple[int, int]]:
    events, dead = (lake.offsets(name, topic) for name in (events_table(source), DEAD_LETTERS_TABLE))
    for number in topic.partitions:
        key = (topic.name, number)
        yield number, max(events.get(key, -1), dead.get(key, -1))
