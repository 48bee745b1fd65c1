"""From polls to shards: each group selects its events and assigns them to its shards by the entity's key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import shards_of
from shared_features.formats.events import concatenate
from shared_features.group_events import group_events
from streaming.kafka.records.polled import Polled
from streaming.online.sub_batch import Stretch, SubBatch
from streaming.online_store.shard_store import shard_label

ShardItem = tuple[str, list[SubBatch]]
"""A shard's label, and everything that one poll has for the shard."""


class Router:
    """Routes the polls of one worker. `mark_slack_us`: how far marks of idle partitions stay behind the clock."""

    def __init__(self, groups: Iterable[FeatureGroup], mark_slack_us: int) -> None:
        self._mark_slack_us = mark_slack_us
        self._groups_of: dict[str, list[FeatureGroup]] = {}  # by the source's name: a hash of a definition takes long
        self._labels: dict[str, list[str]] = {}
        self._empty: dict[tuple[str, str], SubBatch] = {}
        for group in groups:
            self._labels[group.label] = [shard_label(group, number) for number in range(group.shards)]
            for source in group.sources:
                self._groups_of.setdefault(source.name, []).append(group)

    def __call__(self, polled: Sequence[Polled]) -> list[ShardItem]:
        """One item per shard that has something in the polls. What arrived together is committed together."""
        by_source: dict[str, list[Polled]] = {}
        for each in polled:
            by_source.setdefault(each.source.name, []).append(each)
        items: dict[str, list[SubBatch]] = {}
        for name, of_source in by_source.items():
            for label, parts in self._parts(name, of_source):
                items.setdefault(label, []).extend(parts)
        return list(items.items())

    def _parts(self, source: str, polled: list[Polled]) -> Iterator[tuple[str, list[SubBatch]]]:
        """For each shard that the source updates one sub-batch per poll, in their order.

        A look at few events costs as much as a look at many, so a group looks once at those of all partitions.
        """
        spans = [self._span(each) for each in polled]
        counts = [len(each.offsets) for each in polled]
        groups = self._groups_of.get(source, [])
        if not any(counts):  # marks: most polls of a quiet job
            for group in groups:
                empty = [self._nothing(group, polled[0]).over(span) for span in spans]
                yield from ((label, empty) for label in self._labels[group.label])
            return
        some = [each for each in polled if len(each.offsets)]
        batch = some[0].events if len(some) == 1 else concatenate([each.events for each in some])
        offsets, span_of = np.concatenate([each.offsets for each in some]), np.repeat(np.arange(len(polled)), counts)
        for group in groups:
            events = group_events(group, batch)
            shard_of = shards_of(events.keys, group.shards)
            dealt = SubBatch.deal(spans, source, events, offsets, span_of[events.rows], shard_of, group.shards)
            yield from zip(self._labels[group.label], dealt, strict=True)

    def _nothing(self, group: FeatureGroup, polled: Polled) -> SubBatch:
        """A sub-batch without rows. `polled`: of the source, without events."""
        about = group.label, polled.source.name
        if about not in self._empty:
            events = group_events(group, polled.events)
            spans, none = [self._span(polled)], np.empty(0, np.int64)
            self._empty[about] = SubBatch.deal(spans, polled.source.name, events, none, none, none, 1)[0][0]
        return self._empty[about]

    def _span(self, polled: Polled) -> Stretch:
        until_us = polled.record_time_us
        if polled.idle_until_us is not None:
            until_us = max(until_us, polled.idle_until_us - self._mark_slack_us)
        return Stretch(
            polled.topic,
            polled.topic_id,
            polled.partition,
            polled.after,
            polled.to,
            until_us,
            missing=polled.gap is not None,
        )
