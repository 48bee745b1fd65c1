"""How far the events of a view were scored, as the online store keeps it beside the features.

The scores themselves say it first: the last record of each partition names its event, in the transaction that wrote it.
This copy is written afterwards. It counts where no record is left, or none has been written: it also says from which
event on a view is scored at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared_features.formats.shard_meta import Partition
from streaming.online_store.link import RedisLink


class ScorePositions:
    """Of one view. Waits while Redis is unavailable, unless the link does not."""

    def __init__(self, link: RedisLink, namespace: str, view: str) -> None:
        self._link, self._key = link, f"{namespace}:scores:{view}"

    def read(self) -> dict[Partition, int]:
        """The last offset of each partition that needs no score any more. Empty before the first start."""
        stored = self._link.call("GET", self._key)
        rows = [] if stored is None else json.loads(stored)
        return {(topic, topic_id, partition): offset for topic, topic_id, partition, offset in rows}

    def write(self, positions: Mapping[Partition, int]) -> None:
        """Replace them."""
        self._link.call("SET", self._key, json.dumps([[*of, offset] for of, offset in sorted(positions.items())]))
