"""What a feature group takes: the bytes of its entities' states, and the processor time of an event. Both measured."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_state import encode_states
from shared_features.kernel.replay import apply
from shared_features.kernel.tile_state import TileState
from streaming.operations.check.history_sample import HistorySample, chunks

_AT_ONCE = 2_000
_TIMED_S = 0.5


@dataclass(frozen=True)
class GroupMeasure:
    """keys and states: length of the key's text and of the state's bytes of each entity that was looked at.

    event_us: of applying an event and encoding what it changed, as `online` does it, in microseconds of one core.
    """

    group: FeatureGroup
    keys: Sequence[int]
    states: Sequence[int]
    event_us: float

    @property
    def entities(self) -> int:
        return len(self.states)

    @property
    def state_bytes(self) -> float:
        return fmean(self.states) if self.states else 0.0


def measure_group(sample: HistorySample) -> GroupMeasure:
    """Apply the events in batches, as they would arrive. The later part, where states are full, is timed."""
    keys, owner = np.unique(np.array(sample.keys, object).astype(str), return_inverse=True)
    state = TileState(sample.group.layout)
    slots = state.add(len(keys))
    _apply(state, slots[owner[:1]], sample, slice(0, 1))  # what numba still has to load is not timed
    size = min(_AT_ONCE, max(1, len(keys)))
    timed, seconds = 0, 0.0
    for part in chunks(len(sample), size):
        began_s = time.thread_time()
        _apply(state, slots[owner[part]], sample, part)
        if part.start >= len(sample) // 2 and seconds < _TIMED_S:
            seconds += time.thread_time() - began_s
            timed += part.stop - part.start
    states = [len(each) for each in encode_states(state, slots, 0)]
    return GroupMeasure(sample.group, [len(each.encode()) for each in keys.tolist()], states,
                        1e6 * seconds / timed if timed else 0.0)  # fmt: skip


def _apply(state: TileState, slots: np.typing.NDArray[np.int64], sample: HistorySample, part: slice) -> None:
    columns = (sample.event_time_us[part], sample.digest[part], sample.values[part], sample.valid[part])
    apply(state, slots, *columns)
    encode_states(state, np.unique(slots), 0)
