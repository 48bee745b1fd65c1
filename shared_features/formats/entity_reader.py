"""Entity reader: features of entities straight from their bytes, in one compiled call."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.entity_state import SCHEMA_VERSION, TOO_SHORT, refusal
from shared_features.formats.entity_state_plan import state_plan, state_room
from shared_features.formats.entity_state_reader import BEFORE, DONE, MISSING, NEWEST, STATUS, read_stored
from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.varints import SPARE_BYTES
from shared_features.kernel.replay import read_room
from shared_features.kernel.tile_state import TileState

_SPARE = bytes(SPARE_BYTES)


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
    """Reads the entities of one layout. Used by one thread at a time: every entity passes through one slot.

    The same as `decode_states` and then `read`, without what these two cost for each call.
    """

    def __init__(self, layout: Layout) -> None:
        self._state = TileState(layout)
        self._slot = int(self._state.add(1)[0])
        self._plan, self._room, self._scratch = state_plan(layout), state_room(layout), read_room(layout)

    def read(
        self,
        keys: Sequence[bytes],
        values: Sequence[bytes | None],
        build_ids: Sequence[int],
        as_of_us: NDArray[np.int64],
    ) -> EntityFeatures:
        """The features of n entities. `keys`: those that the values lie under; an entity without a value is missing."""
        count, layout = len(keys), self._state.layout
        parts: list[bytes] = []
        for key, value in zip(keys, values, strict=True):
            parts += key, b"" if value is None else value or TOO_SHORT
        ends = np.fromiter(accumulate(map(len, parts), initial=0), np.int64, 2 * count + 1)
        parts.append(_SPARE)
        buffer = np.frombuffer(b"".join(parts), np.uint8)
        builds, instants = np.array(build_ids, np.uint64), np.array(as_of_us, np.int64)
        floats, told = np.empty((count, len(layout.features))), np.empty((count, BEFORE + 1), np.int64)
        done = 0
        while done < count:
            done = read_stored(
                *(layout.tables, self._plan, self._state.pools, self._room, self._scratch, self._slot),
                *(SCHEMA_VERSION, builds, buffer, ends, instants, floats, told, done),
            )
            if done < count:
                self._state.make_room()
        status = told[:, STATUS].tolist()
        damaged = {
            place: str(refusal(each, values[place] or b""))
            for place, each in enumerate(status)
            if each not in (DONE, MISSING)
        }
        found = [each == DONE for each in status]
        return EntityFeatures(floats, found, told[:, NEWEST].tolist(), told[:, BEFORE].tolist(), damaged)
