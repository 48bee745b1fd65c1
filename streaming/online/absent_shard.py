"""A shard that cannot take events yet: it was never built, or it is being rebuilt (`streaming.bootstrap`)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from streaming.errors import RestartNeeded
from streaming.online.sub_batch import SubBatch
from streaming.online_store.shard_store import ShardStore, is_live

_LOOK_EVERY_S = 1.0


class AbsentShard:
    """Takes nothing; when the shard has become live, RestartNeeded: the process joins it to the others."""

    def __init__(self, label: str, store: ShardStore) -> None:
        self._label, self._store = label, store
        self._looked_at = time.monotonic()

    def write(self, batches: Sequence[SubBatch]) -> None:
        """Look, now and then. Batches come at least as often as marks do."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = now
        if is_live(self._store.read_meta()):
            raise RestartNeeded(f"shard {self._label} was built and is live; joining it")

    def close(self) -> None:
        """Leave."""
        self._store.close()
