"""TileState: the heads and tiles of many entities, by slot."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.events import event_words
from shared_features.kernel.loops.lanes import rows_to_spare
from shared_features.kernel.loops.pools import (
    FIELDS,
    NEVER_US,
    Pools,
    compact_heads,
    compact_tiles,
    compact_words,
    forget,
)
from shared_features.kernel.loops.segments import CAPACITY, GARBAGE, TOP, WANTED

__all__ = ["NEVER_US", "TileState"]

_FIRST_TILES, _FIRST_WORDS, _FIRST_EVENTS, _FIRST_SLOTS = 64, 64, 64, 16


class TileState:
    """What a group holds of many entities. An entity is a slot: `add` assigns it, `release` frees it.

    One writer at a time. Several readers may read at once.
    """

    def __init__(self, layout: Layout) -> None:
        sets, row = len(layout.tables.set_columns), len(layout.tables.empty_row)
        self.layout = layout
        self.size = 0
        self._top = 0
        self._free: list[int] = []
        self.pools = Pools(
            newest_us=np.full(_FIRST_SLOTS, NEVER_US),
            due_us=np.full(_FIRST_SLOTS, NEVER_US),
            tiles=np.zeros((_FIRST_SLOTS, FIELDS), np.int64),
            sets=np.zeros((_FIRST_SLOTS, sets, FIELDS), np.int64),
            starts=np.empty(_FIRST_TILES, np.int64),
            rows=_rows(_FIRST_TILES, row),
            words=np.empty(_FIRST_WORDS, np.uint64),
            heads=np.zeros((_FIRST_SLOTS, FIELDS), np.int64),
            events=_rows(_FIRST_EVENTS, event_words(len(layout.columns))),
            usage=np.zeros((3, 3), np.int64),
        )

    def add(self, count: int) -> NDArray[np.int64]:
        """Slots for so many entities without events. Shape: int64 (count,)."""
        reused = [self._free.pop() for _ in range(min(count, len(self._free)))]
        fresh = np.arange(self._top, self._top + count - len(reused))
        self._top += len(fresh)
        self.size += count
        if self._top > len(self.pools.newest_us):
            self._deal_slots(max(self._top, 2 * len(self.pools.newest_us)))
        return np.concatenate([np.array(reused, np.int64), fresh])

    def release(self, slots: ArrayLike) -> None:
        """Free slots: their entities are forgotten, and `add` may assign the slots again."""
        slots = np.ascontiguousarray(slots, np.int64)
        self.check_slots(slots)
        forget(self.pools, slots, True)
        self._free.extend(slots.tolist())
        self.size -= len(slots)

    def part(self, slots: ArrayLike) -> "TileState":
        """A copy of some entities alone, in as much memory as they need: the slots 0, 1, ... of it, in this order."""
        slots = np.ascontiguousarray(slots, np.int64)
        self.check_slots(slots)
        found, old = TileState(self.layout), self.pools
        found.size = found._top = len(slots)
        found.pools = old._replace(
            newest_us=old.newest_us[slots],
            due_us=old.due_us[slots],
            tiles=old.tiles[slots],
            sets=old.sets[slots],
            heads=old.heads[slots],
            usage=np.zeros_like(old.usage),
        )
        found._renew_tiles(int(found.pools.tiles[..., CAPACITY].sum()))
        found._renew_words(int(found.pools.sets[..., CAPACITY].sum()))
        found._renew_heads(int(found.pools.heads[..., CAPACITY].sum()))
        return found

    def clear(self, slots: ArrayLike) -> None:
        """Forget the events of entities; their slots stay dealt."""
        slots = np.ascontiguousarray(slots, np.int64)
        self.check_slots(slots)
        forget(self.pools, slots, False)

    def newest_us(self, slots: ArrayLike) -> NDArray[np.int64]:
        """Greatest event time applied per slot; NEVER_US where there is none. Shape: int64 (n,)."""
        slots = np.ascontiguousarray(slots, np.int64)
        self.check_slots(slots)
        newest_us: NDArray[np.int64] = self.pools.newest_us[slots]
        return newest_us

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.pools)

    def check_slots(self, slots: NDArray[np.int64]) -> None:
        """`IndexError` for a slot that was never assigned: the compiled loops would not notice."""
        if slots.size and not (slots.min() >= 0 and slots.max() < self._top):
            raise IndexError(f"slots lie in 0..{self._top - 1}; got {slots.min()}..{slots.max()}")

    def make_room(self) -> None:
        """Grow the pools that refused, or compact them where half of what is in use is garbage."""
        renew = (self._renew_tiles, self._renew_words, self._renew_heads)
        for usage, grow in zip(self.pools.usage, renew, strict=True):
            if usage[WANTED]:
                crowded = usage[GARBAGE] < usage[TOP] // 2
                grow((2 if crowded else 1) * int(usage[TOP] + usage[WANTED]))
                usage[GARBAGE] = usage[WANTED] = 0

    def _renew_tiles(self, size: int) -> None:
        old = self.pools
        starts, rows = np.empty(size, np.int64), _rows(size, old.rows.shape[1])
        old.usage[0, TOP] = compact_tiles(old.tiles, old.starts, old.rows, starts, rows)
        self.pools = old._replace(starts=starts, rows=rows)

    def _renew_words(self, size: int) -> None:
        words = np.empty(size, np.uint64)
        self.pools.usage[1, TOP] = compact_words(self.pools.sets, self.pools.words, words)
        self.pools = self.pools._replace(words=words)

    def _renew_heads(self, size: int) -> None:
        events = _rows(size, self.pools.events.shape[1])
        self.pools.usage[2, TOP] = compact_heads(self.pools.heads, self.pools.events, events)
        self.pools = self.pools._replace(events=events)

    def _deal_slots(self, count: int) -> None:
        old = self.pools
        more = count - len(old.newest_us)
        never = np.full(more, NEVER_US)
        self.pools = old._replace(
            newest_us=np.concatenate([old.newest_us, never]),
            due_us=np.concatenate([old.due_us, never]),
            tiles=np.concatenate([old.tiles, np.zeros((more, FIELDS), np.int64)]),
            heads=np.concatenate([old.heads, np.zeros((more, FIELDS), np.int64)]),
            sets=np.concatenate([old.sets, np.zeros((more, *old.sets.shape[1:]), np.int64)]),
        )


def _rows(count: int, words: int) -> NDArray[np.int64]:
    """A pool of rows, with words to spare behind the last one."""
    return np.empty((count + rows_to_spare(words), words), np.int64)[:count]
