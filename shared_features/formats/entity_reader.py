"""Entity reader: features of entities straight from their bytes, of several groups in one compiled call."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.entity_state import SCHEMA_VERSION, TOO_SHORT, refusal
from shared_features.formats.entity_state_plan import StatePlan, StateRoom, state_plan, state_room
from shared_features.formats.entity_state_reader import (
    BEFORE,
    DONE,
    MISSING,
    NEWEST,
    STATUS,
    held_state,
    read_groups,
)
from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.varints import SPARE_BYTES
from shared_features.kernel.replay import ReadRoom, read_room
from shared_features.kernel.tile_state import TileState

_SPARE = bytes(SPARE_BYTES)


class StoredEntities(NamedTuple):
    """Entities of one group. keys: those that the values lie under; an entity without a value is missing."""

    keys: Sequence[bytes]
    values: Sequence[bytes | None]
    build_ids: Sequence[int]


class EntityFeatures(NamedTuple):
    """Of n entities, each as of its own instant. An entity that was not found, or is damaged, is one without events.

    before_us: of the newest event that counts. Where that lies in a tile, the start of the tile: at most a hop too
    early. NEVER_US where there is none, as in `newest_us`. damaged: by its place, why an entity cannot be read.
    """

    values: NDArray[np.float64]  # [n, features]
    found: list[bool]
    newest_us: list[int]
    before_us: list[int]
    damaged: dict[int, str]


class EntityReader:
    """Reads the entities of some layouts. Used by one thread at a time: every entity passes through a slot.

    The same as `decode_states` and then `read`, without what these two cost for each call.
    """

    def __init__(self, layouts: Sequence[Layout]) -> None:
        self._groups = [_Slot.of(layout) for layout in layouts]
        self._widest = max((len(layout.features) for layout in layouts), default=0)
        self._held = self._hold()

    def read(self, stored: Sequence[StoredEntities], as_of_us: NDArray[np.int64]) -> list[EntityFeatures]:
        """The features of n entities of each layout, in its order."""
        groups, count = len(stored), len(as_of_us)
        if not groups:
            return []
        parts: list[bytes] = []
        for each in stored:
            for key, value in zip(each.keys, each.values, strict=True):
                parts += key, b"" if value is None else value or TOO_SHORT
        ends = np.fromiter(accumulate(map(len, parts), initial=0), np.int64, len(parts) + 1)
        parts.append(_SPARE)
        buffer = np.frombuffer(b"".join(parts), np.uint8)
        builds = np.array([each.build_ids for each in stored], np.uint64).reshape(groups, count)
        values = np.empty((groups, count, self._widest))
        told = np.empty((groups, count, BEFORE + 1), np.int64)
        done = np.zeros(groups, np.int64)
        instants = np.ascontiguousarray(as_of_us, np.int64)
        given = SCHEMA_VERSION, builds, buffer, ends, instants, values, told, done
        while (crowded := read_groups(self._held, *given)) < groups:
            self._groups[crowded].state.make_room()
            self._held = self._hold()
        return [_features(*each) for each in zip(self._groups, stored, values, told, strict=True)]

    def _hold(self) -> NDArray[np.int64]:
        held: NDArray[np.int64] = np.array([each.held() for each in self._groups], np.int64)
        return held


class _Slot(NamedTuple):
    """Where the entities of a layout pass through."""

    state: TileState
    plan: StatePlan
    room: StateRoom
    scratch: ReadRoom
    slot: int

    @classmethod
    def of(cls, layout: Layout) -> _Slot:
        state = TileState(layout)
        return cls(state, state_plan(layout), state_room(layout), read_room(layout), int(state.add(1)[0]))

    def held(self) -> NDArray[np.int64]:
        table: NDArray[np.int64] = held_state(*self)
        return table


def _features(
    group: _Slot, stored: StoredEntities, values: NDArray[np.float64], told: NDArray[np.int64]
) -> EntityFeatures:
    status = told[:, STATUS].tolist()
    found = [each == DONE for each in status]
    damaged = {}
    if not all(found):
        damaged = {
            place: str(refusal(each, stored.values[place] or b""))
            for place, each in enumerate(status)
            if each not in (DONE, MISSING)
        }
    features = len(group.state.layout.features)
    return EntityFeatures(values[:, :features], found, told[:, NEWEST].tolist(), told[:, BEFORE].tolist(), damaged)
