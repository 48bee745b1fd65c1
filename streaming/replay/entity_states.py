"""States of a group's entities, found by the entity's key."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import EntityKeys
from shared_features.formats.entity_state import decode_states, encode_states
from shared_features.kernel.tile_state import TileState

Int64 = NDArray[np.int64]
EntityKey = int | str
Owners = NDArray[np.uint64]
"""Whose each encoded state is, see `formats.entity_state.owners_of`."""


class EntityStates:
    """A TileState whose slots are found by entity key."""

    def __init__(self, group: FeatureGroup) -> None:
        self.state = TileState(group.layout)
        self._slots: dict[EntityKey, int] = {}

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def nbytes(self) -> int:
        """Bytes of the states."""
        return self.state.nbytes

    def unknown(self, keys: EntityKeys) -> list[EntityKey]:
        """The keys that have no slot yet, each once."""
        names = keys if isinstance(keys, list) else keys.tolist()
        return list(dict.fromkeys(name for name in names if name not in self._slots))

    def slots(self, keys: EntityKeys | pa.Array) -> Int64:
        """The slot of each key. A new entity gets a slot."""
        coded = pa.array(keys).dictionary_encode()
        names = coded.dictionary.to_pylist()
        new = [name for name in names if name not in self._slots]
        self._slots.update(zip(new, self.state.add(len(new)).tolist(), strict=True))
        found = np.fromiter(map(self._slots.__getitem__, names), np.int64, len(names))
        return found[coded.indices.to_numpy()] if len(names) else found

    @property
    def entities(self) -> tuple[list[EntityKey], Int64]:
        """Every entity's key and slot."""
        return list(self._slots), np.fromiter(self._slots.values(), np.int64, len(self._slots))

    def restore(
        self, keys: Sequence[EntityKey], states: Sequence[bytes | None], build_id: int, owners: Owners
    ) -> Int64:
        """Load entities from their encoded states. Returns their slots."""
        slots = self.slots(pa.array(keys)) if len(keys) else np.empty(0, np.int64)
        if len(keys):
            decode_states(self.state, slots, states, build_id, owners)
        return slots

    def encoded(self, slots: Int64, build_id: int, owners: Owners) -> list[bytes]:
        """The encoded states of these slots."""
        return encode_states(self.state, slots, build_id, owners)

    def forget(self, before_us: int, busy: Int64) -> None:
        """Release the entities without events at or after an instant, except those in `busy` slots."""
        keys, slots = self.entities
        idle = (self.state.newest_us(slots) < before_us) & ~np.isin(slots, busy)
        if idle.any():
            self.state.release(slots[idle])
            for index in np.flatnonzero(idle).tolist():
                del self._slots[keys[index]]


def built_from_us(group: FeatureGroup) -> int:
    """Events that arrived earlier than this before the watermark are in no tile of an entity that is still kept."""
    hop_us = max(spec.hop_us for spec in group.layout.features)
    return 3 * group.readable_us + hop_us + group.layout.head_us
