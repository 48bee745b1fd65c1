"""From polls to shards: each group selects its events and assigns them to its shards by the entity's key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import shards_of
from shared_features.group_events import group_events
from streaming.kafka.polled import Polled
from streaming.online.sub_batch import Stretch, SubBatch
from streaming.online_store.shard_store import shard_label

ShardItem = tuple[str, list[SubBatch]]
"""A shard's label, and everything that one poll has for the shard."""


class Router:
    """Routes the polls of one worker. `mark_slack_us`: how far marks of idle partitions stay behind the clock."""

    def __init__(self, groups: Iterable[FeatureGroup], mark_slack_us: int) -> None:
        self._groups = tuple(groups)
        self._mark_slack_us = mark_slack_us
        self._labels = {group: [shard_label(group, number) for number in range(group.shards)] for group in self._groups}

    def __call__(self, polled: Sequence[Polled]) -> list[ShardItem]:
        """One item per shard that has something in the polls. What arrived together is committed together."""
        items: dict[str, list[SubBatch]] = {}
        for each in polled:
            span = self._span(each)
            for group in self._groups:
                if each.source not in group.sources:
                    continue
                events = group_events(group, each.events)
                numbers = shards_of(events.keys, group.shards)
                parts = SubBatch.split(span, each.source.name, events, each.offsets, numbers, group.shards)
                for label, part in zip(self._labels[group], parts, strict=True):
                    items.setdefault(label, []).append(part)
        return list(items.items())

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
