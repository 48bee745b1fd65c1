"""Entity state: the bytes of one entity's head and tiles in the online store. Equal states of an owner: equal bytes.

Every schema begins with its version and the build id; every schema from 2 on, with its checksum behind them. So bytes
that an earlier build left behind are told from damaged ones, whatever release wrote them.

    schema version         1 byte
    build id               8 bytes, little-endian
    checksum               8 bytes, little-endian: of the build id and all that follows, bound to the owner
    events of the head     varint; nothing follows 0
    newest event time      zigzag varint, microseconds
    head, newest first     per event its digest, 8 bytes, little-endian; but for the newest, microseconds to the event
                           before as a varint; per column a varint: 0 when missing, 1 + zigzag of the value
    tiles                  varint; nothing follows 0
    words of each set      a varint per set, that of event digests first
    digests                8 bytes each, little-endian, tile after tile, sorted within a tile
    per tile, oldest first
        begin              varint: 2 * steps + (more than one event). Steps of the finest hop: of the first tile from
                           its start to the newest event's hop, of the others from the tile before
        of one event       per column a varint: 0 when missing, 1 + zigzag of the value;
                           microseconds since the tile's start as a varint, where a register keeps times
        of more events     their number as a varint, the registers in the order of their words, then per set but the
                           first its length and its values (not their hashes) as zigzag varints, in the order of hashes

Varints are `kernel.varints`. A register: counts as events without a value; sums as 128-bit varints; extremes
as 0 when empty, else 1 + zigzag of the value; `first` and `last` as 0 when empty, else 1 + time since the tile's start,
then the place of their digest in the tile, then the value.

An owner is a 64-bit hash of the key that a state is stored under (`owners_of`). A state under another key is damaged.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared_features.errors import FormatVersionError
from shared_features.formats.entity_state_plan import state_plan, state_room
from shared_features.formats.entity_state_reader import NO_ROOM, OTHER_SCHEMA, decode_into
from shared_features.formats.entity_state_writer import FRAME_BYTES, encode_from
from shared_features.kernel.loops.checksum import checksums_into
from shared_features.kernel.loops.segments import LENGTH
from shared_features.kernel.loops.varints import MOST_BYTES, SPARE_BYTES
from shared_features.kernel.replay import settle
from shared_features.kernel.tile_state import TileState

SCHEMA_VERSION = 2
"""With a new one, raise the schema version of shard metas too: shards are then rebuilt, under their own build id."""
_REBUILD = "Run the stream job (`python -m streaming run`): it rebuilds the shard when it meets the state."
NOBODY = 0
"""The owner of states that are compared and not stored."""
TOO_SHORT = b"\0"
"""Stands for a value without a byte, which is damaged; no bytes at all are a missing entity."""


def owners_of(keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """The owner of the state under each key. Shape: uint64 (n,)."""
    owners, ends = np.empty(len(keys), np.uint64), np.zeros(len(keys) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, keys), np.int64, len(keys)), out=ends[1:])
    checksums_into(np.frombuffer(b"".join((*keys, bytes(SPARE_BYTES))), np.uint8), ends, owners)
    return owners


def encode_states(state: TileState, slots: ArrayLike, build_id: ArrayLike, owners: ArrayLike = NOBODY) -> list[bytes]:
    """The bytes of each entity, in the order of the slots; settles them. `build_id`, `owners`: one for all, or each."""
    slots = np.ascontiguousarray(slots, np.int64)
    settle(state, slots)
    tables, pools = state.layout.tables, state.pools
    plan = state_plan(state.layout)
    tiles = int(pools.tiles[slots, LENGTH].sum())
    words = int(pools.sets[slots, :, LENGTH].sum())
    heads = int(pools.heads[slots, LENGTH].sum())
    most = heads * plan.head_bytes + tiles * plan.tile_bytes + words * MOST_BYTES + SPARE_BYTES
    buffer = np.empty(len(slots) * (FRAME_BYTES + plan.entity_bytes) + most, np.uint8)
    ends = np.empty(len(slots) + 1, np.int64)
    ends[0] = 0
    room = state_room(state.layout)
    encode_from(
        *(tables, plan, pools, room, slots, SCHEMA_VERSION),
        *(_words(build_id, slots), _words(owners, slots), buffer, ends),
    )
    encoded, bounds = buffer[: ends[-1]].tobytes(), ends.tolist()
    return [encoded[start:end] for start, end in pairwise(bounds)]


def decode_states(
    state: TileState,
    slots: ArrayLike,
    values: Sequence[bytes | None],
    build_id: ArrayLike,
    owners: ArrayLike = NOBODY,
    damaged: dict[int, str] | None = None,
) -> NDArray[np.bool_]:
    """Replace entities by what their bytes say; returns which were found. Shape: bool (n,).

    `build_id`, `owners`: one for all, or one each. None, or whole bytes of another build, leave an entity empty.
    `FormatVersionError` for another schema of this build, or damaged bytes; the entities before the bad one are then
    decoded, the others empty. With `damaged`, what would be raised is put there by the place of its value, and all
    others are decoded.
    """
    slots = np.ascontiguousarray(slots, np.int64)
    if len(values) != len(slots):
        raise ValueError(f"{len(slots)} slots and {len(values)} values; give one value per slot")
    state.clear(slots)
    present = [b"" if value is None else value or TOO_SHORT for value in values]
    ends = np.zeros(len(slots) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, present), np.int64, len(present)), out=ends[1:])
    buffer = np.frombuffer(b"".join((*present, bytes(SPARE_BYTES))), np.uint8)
    found, plan, room = np.zeros(len(slots), np.bool_), state_plan(state.layout), state_room(state.layout)
    status, builds, of = np.zeros(1, np.int64), _words(build_id, slots), _words(owners, slots)
    done = 0
    while done < len(slots):
        done = decode_into(
            *(state.layout.tables, plan, state.pools, room, slots),
            *(SCHEMA_VERSION, builds, of, buffer, ends, found, status, done),
        )
        if done < len(slots):
            if status[0] == NO_ROOM:
                state.make_room()
                continue
            state.clear(slots[done : done + 1])
            error = refusal(int(status[0]), values[done] or b"")
            if damaged is None:
                raise error
            damaged[done] = str(error)
            done += 1
    return found


def _words(given: ArrayLike, slots: NDArray[np.int64]) -> NDArray[np.uint64]:
    return np.array(np.broadcast_to(np.asarray(given, np.uint64), slots.shape))


def refusal(status: int, value: bytes) -> FormatVersionError:
    """Why these bytes cannot be read, as the reader's status says."""
    if status == OTHER_SCHEMA:
        return FormatVersionError(
            f"An entity state cannot be read: it has schema {value[0]}, this reader knows {SCHEMA_VERSION}. {_REBUILD}"
        )
    return FormatVersionError(
        f"An entity state is damaged: its {len(value)} bytes do not fit their checksum, or are another entity's. "
        f"{_REBUILD}"
    )
