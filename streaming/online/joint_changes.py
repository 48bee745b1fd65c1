"""What the events of several shards of a group change: one call of the kernel for all, and each shard's share of it.

A call of the kernel costs as much for one event as for dozens, and most polls bring each shard one event or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.entity_state import encode_states
from shared_features.kernel.replay import APPLIED, apply
from streaming.online.entity_cache import EntityCache
from streaming.online.sub_batch import SubBatch

_SHARE = 40
"""Bits for a slot. Those above say to which shard it belongs."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one shard brings: the events that it has not applied yet. The cache holds all of their entities."""

    build_id: int
    parts: list[SubBatch]


@dataclass(frozen=True, slots=True)
class Changed:
    """The entities of one shard that its events changed, and the bytes of their states."""

    keys: list[object]
    states: list[bytes]


@dataclass(frozen=True, slots=True)
class JointChanges:
    """`shares`: by shard, in the order in which they were given. `outcomes`: by source, how many events had each."""

    shares: list[Changed]
    outcomes: dict[str, list[int]]

    @classmethod
    def of(cls, cache: EntityCache, shares: Sequence[Share]) -> JointChanges:
        """Apply the events."""
        parts = [part for share in shares for part in share.parts]
        if not parts:
            return cls([Changed([], []) for _ in shares], {})
        keys = parts[0].keys if len(parts) == 1 else [key for part in parts for key in part.keys]
        slots = cache.slots(keys)
        outcome = apply(
            cache.state,
            slots,
            _joined([part.event_time_us for part in parts]),
            _joined([part.digest for part in parts]),
            _joined([part.values for part in parts]),
            _joined([part.valid for part in parts]),
        )
        counts = [sum(len(part) for part in share.parts) for share in shares]
        applied = outcome == APPLIED
        changed = np.unique((np.repeat(np.arange(len(shares)), counts)[applied] << _SHARE) | slots[applied])
        return cls(_encoded(cache, shares, changed), _counted(parts, outcome))


def _encoded(cache: EntityCache, shares: Sequence[Share], changed: NDArray[np.int64]) -> list[Changed]:
    """`changed`: slots beneath the number of their share, ascending."""
    if not len(changed):
        return [Changed([], []) for _ in shares]
    of_share, slots = changed >> _SHARE, changed & ((1 << _SHARE) - 1)
    builds = np.array([share.build_id for share in shares], np.uint64)[of_share]
    keys, states = cache.keys(slots), encode_states(cache.state, slots, builds, cache.owners(slots))
    bounds = np.searchsorted(of_share, np.arange(len(shares) + 1)).tolist()
    return [Changed(keys[start:end], states[start:end]) for start, end in pairwise(bounds)]


def _counted(parts: Sequence[SubBatch], outcome: NDArray[np.uint8]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    start = 0
    for part in parts:
        more = np.bincount(outcome[start : start + len(part)], minlength=3).tolist()
        found[part.source] = [a + b for a, b in zip(found.get(part.source, (0, 0, 0)), more, strict=True)]
        start += len(part)
    return found


def _joined(columns: list[NDArray[np.generic]]) -> NDArray[np.generic]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)
