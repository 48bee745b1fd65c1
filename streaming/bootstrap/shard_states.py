"""The states of some shards of a group, built from stored events: split by shard, sorted by entity, in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import EntityKeys, has_integer_key, shards_of
from shared_features.group_events import GroupEvents, effects_us, group_events
from shared_features.kernel.replay import APPLIED, apply
from streaming.lake.event_rows import EventRows
from streaming.replay.entity_states import EntityKey, EntityStates, Owners
from streaming.replay.replayer import SNAPSHOT_BUILD, snapshot_owners

Int64 = NDArray[np.int64]
Load = Callable[[int, list[EntityKey]], tuple[list[bytes | None], int, Owners]]
"""(shard, keys) -> the stored states of these keys, the build id of the states, and their owners."""
_THREADS = 2


class ShardStates:
    """States by shard number, for the given shards.

    `part`: (number, of how many) takes only that part of every shard's entities. `load`: loads the stored state of an
    entity that is new here. Without `load` new entities begin empty.
    """

    def __init__(
        self,
        group: FeatureGroup,
        shards: Iterable[int],
        part: tuple[int, int] = (0, 1),
        load: Load | None = None,
    ) -> None:
        self._group, self._part, self._load = group, part, load
        self._states = {number: EntityStates(group) for number in shards}
        self._changed: dict[int, set[int]] = {number: set() for number in self._states}
        self._threads = ThreadPoolExecutor(_THREADS, "apply")
        self._under_way: list[Future[None]] = []

    def restore(self, names: Sequence[EntityKey], states: Sequence[bytes]) -> None:
        """Load those of these entities that belong to this part, from their encoded states."""
        integer = has_integer_key(self._group.entity, self._group.sources[0])
        keys: EntityKeys = np.array(names, np.int64) if integer else [str(name) for name in names]
        for number, own_rows in self._dealt(keys):
            picked = own_rows.tolist()
            own = [names[row] for row in picked]
            restored = own, [states[row] for row in picked], SNAPSHOT_BUILD, snapshot_owners(own)
            self._changed[number].update(self._states[number].restore(*restored).tolist())

    def add(self, arrived: EventRows, new: NDArray[np.bool_]) -> None:
        """Begin to apply the events of a mask. This is done before the next events are applied. Any order will do."""
        taken = group_events(self._group, arrived.batch)
        kept = np.flatnonzero(new[taken.rows])
        self.settle()
        for number, rows in self._dealt(_keys_at(taken.keys, kept)):
            if self._load is not None and (unknown := self._states[number].unknown(_keys_at(taken.keys, kept[rows]))):
                self._states[number].restore(unknown, *self._load(number, unknown))
            self._under_way.append(self._threads.submit(self._apply, number, taken, kept[rows]))

    def _dealt(self, keys: EntityKeys) -> Iterator[tuple[int, Int64]]:
        """For each shard, the rows of its entities in this part."""
        shards, (part, parts) = self._group.shards, self._part
        numbers = shards_of(keys, shards * parts)  # modulo the number of shards, this is the shard
        order = np.argsort(numbers.astype(np.int16) if shards * parts < 1 << 15 else numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=shards * parts)).tolist()
        for number, (start, end) in enumerate(pairwise([0, *ends])):
            if number // shards == part and number % shards in self._states and end > start:
                yield number % shards, order[start:end]

    def settle(self) -> None:
        """Wait until all added events are applied."""
        under_way, self._under_way = self._under_way, []
        for each in under_way:
            each.result()

    def forget(self, before_us: int) -> None:
        """Release the entities that have no event at or after an instant."""
        self.settle()
        for number, own in self._states.items():
            own.forget(before_us, np.empty(0, np.int64))
            self._changed[number] &= set(own.entities[1].tolist())

    @property
    def parts(self) -> int:
        """The number of parts."""
        return self._part[1]

    @property
    def nbytes(self) -> int:
        """Bytes of all states."""
        return sum(own.nbytes for own in self._states.values())

    @property
    def changed(self) -> int:
        """The number of entities that changed since they were last taken."""
        return sum(map(len, self._changed.values()))

    def take_changed(
        self, number: int, build_id: int, at_once: int, owners: Callable[[list[EntityKey]], Owners]
    ) -> Iterator[tuple[list[EntityKey], list[bytes]]]:
        """Keys and encoded states of the entities that changed in a shard since the last call, in pieces."""
        self.settle()
        own, changed = self._states[number], self._changed[number]
        self._changed[number] = set()
        keys, slots = own.entities
        rows = np.flatnonzero(np.isin(slots, np.fromiter(changed, np.int64, len(changed))))
        for start in range(0, len(rows), at_once):
            piece = rows[start : start + at_once]
            of_piece = [keys[row] for row in piece.tolist()]
            yield of_piece, own.encoded(slots[piece], build_id, owners(of_piece))

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown()

    def _apply(self, number: int, taken: GroupEvents, rows: Int64) -> None:
        own = self._states[number]
        slots = own.slots(_keys_at(taken.keys, rows))
        # Sorted by entity and time, so that the kernel stays on the same tile.
        order = np.lexsort((taken.event_time_us[rows], slots))
        slots, rows = slots[order], rows[order]
        columns: list[NDArray[Any]] = [
            each[rows] for each in (taken.event_time_us, taken.digest, taken.values, taken.valid)
        ]
        outcome = apply(own.state, slots, *columns)
        self._changed[number].update(np.unique(slots[outcome == APPLIED]).tolist())


def effect_mask(arrived: EventRows, from_us: int, lag_us: int) -> NDArray[np.bool_]:
    """bool[n]: the events with an effect at or after an instant."""
    mask: NDArray[np.bool_] = effects_us(arrived.arrival_us, arrived.batch.event_time_us, lag_us) >= from_us
    return mask


def _keys_at(keys: EntityKeys, rows: Int64) -> EntityKeys:
    return keys[rows] if isinstance(keys, np.ndarray) else [keys[row] for row in rows.tolist()]
