"""The entities that a shard holds in memory, and their slots in its TileState. The least recently used go first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.layout import Layout
from shared_features.kernel.tile_state import TileState

Slots = NDArray[np.int64]

_SLACK = 1.1  # evict a tenth at once, because selecting them sorts all entities


class EntityCache:
    """Entities with their states, at most about `limit` after `evict`."""

    def __init__(self, layout: Layout, limit: int) -> None:
        self.state = TileState(layout)
        self._limit = limit
        self._slot_of: dict[Any, int] = {}
        self._key_of: list[Any] = []
        self._used = np.zeros(0, np.int64)
        self._owners = np.zeros(0, np.uint64)
        self._tick = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def unknown(self, keys: Sequence[Any]) -> list[Any]:
        """The keys that are not held, each once, in order of first use."""
        return list(dict.fromkeys(key for key in keys if key not in self._slot_of))

    def add(self, keys: Sequence[Any], owners: NDArray[np.uint64]) -> Slots:
        """Empty slots for entities that are not held. `owners`: of their states, see `formats.entity_state`."""
        slots = self.state.add(len(keys))
        self._make_room(int(slots.max(initial=-1)) + 1)
        for key, slot in zip(keys, slots.tolist(), strict=True):
            self._slot_of[key] = slot
            self._key_of[slot] = key
        self._owners[slots] = owners
        return slots

    def _make_room(self, slots: int) -> None:
        if slots > len(self._used):
            more = max(slots, 2 * len(self._used)) - len(self._used)
            self._used = np.concatenate([self._used, np.zeros(more, np.int64)])
            self._owners = np.concatenate([self._owners, np.zeros(more, np.uint64)])
            self._key_of.extend([None] * more)

    def slots(self, keys: Sequence[Any]) -> Slots:
        """The slots of entities that are held. They count as recently used from now on."""
        slots = np.fromiter(map(self._slot_of.__getitem__, keys), np.int64, len(keys))
        self._tick += 1
        self._used[slots] = self._tick
        return slots

    def keys(self, slots: Slots) -> list[Any]:
        """The entities in these slots."""
        return list(map(self._key_of.__getitem__, slots.tolist()))

    def owners(self, slots: Slots) -> NDArray[np.uint64]:
        """The owners of the states in these slots."""
        return self._owners[slots]

    def evict(self) -> int:
        """Forget the least recently used beyond the limit, but none of the last batch. Returns their number."""
        if len(self._slot_of) <= self._limit * _SLACK:
            return 0
        held = np.fromiter(self._slot_of.values(), np.int64, len(self._slot_of))
        old = held[self._used[held] < self._tick]
        excess = min(len(held) - self._limit, len(old))
        if excess <= 0:
            return 0
        gone = old[np.argpartition(self._used[old], excess - 1)[:excess]]
        for slot in gone.tolist():
            del self._slot_of[self._key_of[slot]]
            self._key_of[slot] = None
        self.state.release(gone)
        return len(gone)
