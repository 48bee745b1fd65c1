"""A shard that cannot take events yet, because it was never built or is being rebuilt (`streaming.bootstrap`)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from streaming.errors import RestartNeeded
from streaming.online.sub_batch import SubBatch
from streaming.online_store.shard_store import ShardStore, is_live

_LOOK_EVERY_S = 1.0


class AbsentShard:
    """Takes no events. Raises RestartNeeded when the shard has become live, so that the process takes it in."""

    def __init__(self, label: str, store: ShardStore) -> None:
        self._label, self._store = label, store
        self._looked_at = time.monotonic()

    def write(self, batches: Sequence[SubBatch]) -> None:
        """Check once a second whether the shard is live. Batches arrive at least as often as marks."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = now
        if is_live(self._store.read_meta()):
            raise RestartNeeded(f"shard {self._label} was built and is live; restarting to take it in")

    def close(self) -> None:
        """Close the connection."""
        self._store.close()
