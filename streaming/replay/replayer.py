"""A replay that continues from pass to pass: the states of all effects below a cut, and the events beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import EntityKeys
from shared_features.formats.entity_state import owners_of
from shared_features.group_events import effects_us, group_events
from shared_features.kernel.replay import read, replay
from shared_features.kernel.tile_state import NEVER_US
from streaming.lake.event_rows import EventRows
from streaming.replay.entity_states import EntityKey, EntityStates, Owners

Int64 = NDArray[np.int64]
SNAPSHOT_BUILD = 0
"""The build id of states in a snapshot. They belong to no build of the online store."""
Columns = dict[str, NDArray[Any]]
"""Columns of equal length: of updates (slot, effect_us, event_time_us, digest, values, valid) or of reads
(slot, at_us)."""


class Replayer:
    """States of a group's entities, with the updates and reads that wait."""

    def __init__(self, group: FeatureGroup, lag_us: int = 0) -> None:
        self._group, self._lag_us = group, lag_us
        self._states = EntityStates(group)
        width = len(group.columns)
        nothing = np.empty(0, np.int64)
        self._updates: Columns = {
            "slot": nothing,
            "effect_us": nothing,
            "event_time_us": nothing,
            "digest": np.empty(0, np.uint64),
            "values": np.empty((0, width), np.int64),
            "valid": np.empty((0, width), np.bool_),
        }
        self._reads: Columns = {"slot": nothing, "at_us": nothing}
        self._cut_us = 0
        self._last_effect_us = nothing  # by slot: no effect that the state holds is later

    def add_updates(self, arrived: EventRows, from_us: int, only: Sequence[EntityKey] | None = None) -> None:
        """Add the group's events with an effect at or after `from_us`.

        `only`: restricts this to these entities.
        """
        taken = group_events(self._group, arrived.batch)
        effect = effects_us(arrived.arrival_us[taken.rows], taken.event_time_us, self._lag_us)
        keep = effect >= from_us
        if only is not None:
            wanted = pa.array(only)
            keep &= np.asarray(pc.is_in(pa.array(taken.keys, wanted.type), value_set=wanted))
        kept = np.flatnonzero(keep)
        keys = taken.keys[kept] if isinstance(taken.keys, np.ndarray) else [taken.keys[row] for row in kept]
        more = {
            "slot": self._states.slots(keys),
            "effect_us": effect[kept],
            "event_time_us": taken.event_time_us[kept],
            "digest": taken.digest[kept],
            "values": taken.values[kept],
            "valid": taken.valid[kept],
        }
        self._updates = _joined(self._updates, more)

    def add_reads(self, keys: EntityKeys | pa.Array, at_us: Int64) -> None:
        """Ask for the values of entities at instants that are not before the cut."""
        self._reads = _joined(self._reads, {"slot": self._states.slots(keys), "at_us": at_us})

    def advance(self, cut_us: int) -> NDArray[np.float64]:
        """Apply every effect before the cut, and answer every read before the cut, in the order of `add_reads`.

        Shape: float64 (reads before the cut, features).
        """
        updates, self._updates = _split(self._updates, self._updates["effect_us"] < cut_us)
        self._cut_us = max(self._cut_us, cut_us)
        self._note(updates["slot"], updates["effect_us"])
        reads, self._reads = _split(self._reads, self._reads["at_us"] < cut_us)
        return replay(
            self._states.state,
            updates["slot"],
            updates["effect_us"],
            updates["event_time_us"],
            updates["digest"],
            updates["values"],
            updates["valid"],
            reads["slot"],
            reads["at_us"],
        )

    def values_in_states(self, keys: pa.Array, at_us: Int64) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Values as of instants before the cut, of entities whose last effect is not later: their states stand still.

        Shape: bool (n,), which rows these are; float64 (so many, features).
        """
        slots = self._states.slots(keys)
        self._note(slots[:0], at_us[:0])
        known = (self._last_effect_us[slots] <= at_us) & (at_us < self._cut_us)
        # Of an entity that was forgotten, nothing is read as of these instants.
        known &= at_us >= self._cut_us - self._group.readable_us
        return known, read(self._states.state, slots[known], at_us[known])

    def restore(self, keys: Sequence[EntityKey], states: Sequence[bytes], cut_us: int) -> None:
        """Load entities from their encoded states, which hold the effects below a cut."""
        slots = self._states.restore(keys, states, SNAPSHOT_BUILD, snapshot_owners(keys))
        self._note(slots, np.full(len(slots), cut_us))

    def _note(self, slots: Int64, effect_us: Int64) -> None:
        """The states of these slots hold these effects. A slot that was released and dealt again keeps a later one."""
        more = len(self._states.state.pools.newest_us) - len(self._last_effect_us)
        if more > 0:
            self._last_effect_us = np.concatenate([self._last_effect_us, np.full(more, NEVER_US)])
        np.maximum.at(self._last_effect_us, slots, effect_us)

    def encoded(self) -> tuple[list[EntityKey], list[bytes]]:
        """The entities and their encoded states."""
        keys, slots = self._states.entities
        return keys, self._states.encoded(slots, SNAPSHOT_BUILD, snapshot_owners(keys))

    def forget(self, before_us: int) -> None:
        """Release the entities that have no event at or after an instant, and no waiting update or read."""
        self._states.forget(before_us, np.union1d(self._updates["slot"], self._reads["slot"]))


def snapshot_owners(keys: Sequence[EntityKey]) -> Owners:
    """The owners of the states of a snapshot, which lie beside their entity's key."""
    return owners_of([str(key).encode() for key in keys])


def _joined(first: Columns, second: Columns) -> Columns:
    if not len(next(iter(first.values()))):
        return second
    return {name: np.concatenate([column, second[name]]) for name, column in first.items()}


def _split(columns: Columns, mask: NDArray[np.bool_]) -> tuple[Columns, Columns]:
    if mask.all():
        return columns, {name: column[:0] for name, column in columns.items()}
    return tuple({name: column[rows] for name, column in columns.items()} for rows in (mask, ~mask))  # type: ignore[return-value]
