"""Entity state: the bytes of one entity's tiles in the online store. Equal states have equal bytes.

Every schema begins with its version and the build id: these alone tell what earlier builds left behind.

    schema version         1 byte
    build id               8 bytes, little-endian
    tiles                  varint; nothing follows 0
    newest event time      zigzag varint, microseconds
    words of each set      a varint per set, that of event digests first
    digests                8 bytes each, little-endian, tile after tile, sorted within a tile
    per tile, oldest first
        head               varint: 2 * steps + (more than one event). Steps of the finest hop: of the first tile from
                           its start to the newest event's hop, of the others from the tile before
        of one event       per column a varint: 0 when missing, 1 + zigzag of the value;
                           microseconds since the tile's start as a varint, where a register keeps times
        of more events     their number as a varint, the registers in the order of their words, then per set but the
                           first its length and its values (not their hashes) as zigzag varints, in the order of hashes

Varints are `kernel.varints`. A register: counts as events without a value; sums as 128-bit varints; extremes
as 0 when empty, else 1 + zigzag of the value; `first` and `last` as 0 when empty, else 1 + time since the tile's start,
then the place of their digest in the tile, then the value.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared_features.errors import FormatVersionError
from shared_features.formats.entity_state_plan import state_plan, state_room
from shared_features.formats.entity_state_reader import NO_ROOM, OTHER_SCHEMA, decode_into
from shared_features.formats.entity_state_writer import encode_from
from shared_features.kernel.loops.segments import LENGTH
from shared_features.kernel.loops.varints import MOST_BYTES, SPARE_BYTES
from shared_features.kernel.tile_state import TileState

SCHEMA_VERSION = 1
"""With a new one, raise the schema version of shard metas too: shards are then rebuilt, under their own build id."""
_REBUILD = "To write all states again, run `python -m streaming run` with another MILLRACE_REDIS_NAMESPACE."


def encode_states(state: TileState, slots: ArrayLike, build_id: int) -> list[bytes]:
    """The bytes of each entity, in the order of the slots."""
    slots = np.ascontiguousarray(slots, np.int64)
    state.check_slots(slots)
    tables, pools = state.layout.tables, state.pools
    plan = state_plan(state.layout)
    tiles = int(pools.tiles[slots, LENGTH].sum())
    words = int(pools.sets[slots, :, LENGTH].sum())
    buffer = np.empty(
        len(slots) * plan.entity_bytes + tiles * plan.tile_bytes + words * MOST_BYTES + SPARE_BYTES, np.uint8
    )
    ends = np.empty(len(slots) + 1, np.int64)
    ends[0] = 0
    room = state_room(state.layout)
    encode_from(tables, plan, pools, room, slots, SCHEMA_VERSION, np.uint64(build_id), buffer, ends)
    encoded, bounds = buffer[: ends[-1]].tobytes(), ends.tolist()
    return [encoded[start:end] for start, end in pairwise(bounds)]


def decode_states(
    state: TileState, slots: ArrayLike, values: Sequence[bytes | None], build_id: ArrayLike
) -> NDArray[np.bool_]:
    """Replace entities by what their bytes say; returns which were found. Shape: bool (n,).

    `build_id`: one for all, or one each. None, or bytes of another build, whatever their schema, leave an entity empty.
    `FormatVersionError` for another schema of this build, or damaged bytes; the entities before the bad one are then
    decoded, the others empty.
    """
    slots = np.ascontiguousarray(slots, np.int64)
    if len(values) != len(slots):
        raise ValueError(f"{len(slots)} slots and {len(values)} values; give one value per slot")
    state.clear(slots)
    present = [value or b"" for value in values]
    ends = np.zeros(len(slots) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, present), np.int64, len(present)), out=ends[1:])
    buffer = np.frombuffer(b"".join((*present, bytes(SPARE_BYTES))), np.uint8)
    found, plan, room = np.zeros(len(slots), np.bool_), state_plan(state.layout), state_room(state.layout)
    status = np.zeros(1, np.int64)
    builds = np.array(np.broadcast_to(np.asarray(build_id, np.uint64), slots.shape))
    done = 0
    while done < len(slots):
        done = decode_into(
            *(state.layout.tables, plan, state.pools, room, slots),
            *(SCHEMA_VERSION, builds, buffer, ends, found, status, done),
        )
        if done < len(slots):
            if status[0] != NO_ROOM:
                state.clear(slots[done : done + 1])
                raise _refusal(int(status[0]), present[done])
            state.make_room()
    return found


def _refusal(status: int, value: bytes) -> FormatVersionError:
    if status == OTHER_SCHEMA:
        return FormatVersionError(
            f"An entity state cannot be read: it has schema {value[0]}, this reader knows {SCHEMA_VERSION}. {_REBUILD}"
        )
    return FormatVersionError(f"An entity state is damaged: its {len(value)} bytes contradict each other. {_REBUILD}")
