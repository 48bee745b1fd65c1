"""The steps of a replay: slot by slot, each slot's by time, an effect at t before a read at t, ties as they came."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared_features.kernel import step_order as step_order_module
from shared_features.kernel.replay import replay
from shared_features.kernel.step_order import numbered, step_order
from shared_features.kernel.tile_state import TileState
from tests.shared_features.kernel.engine import columns
from tests.strategies import layout

SLOTS = st.integers(0, 3) | st.sampled_from([70, 1 << 20])
Rows = list[tuple[int, int]]
ROWS = st.lists(st.tuples(SLOTS, st.integers(-3, 3)), max_size=12)  # (slot, instant)


@given(ROWS, ROWS)
@example([], [])
@example([(0, 1), (1 << 40, 0)], [(1 << 40, 0), (0, 0)])
def test_steps_are_those_of_a_sort_by_slot_and_time(updates: Rows, reads: Rows) -> None:
    named = [(slot, at, 0, i) for i, (slot, at) in enumerate(updates)]
    named += [(slot, at, 1, i) for i, (slot, at) in enumerate(reads)]
    wanted = [-1 - i if is_read else i for _, _, is_read, i in sorted(named)]
    given_columns = [np.array([row[part] for row in rows], np.int64) for rows in (updates, reads) for part in (0, 1)]
    assert step_order(*given_columns).tolist() == wanted


def test_more_steps_than_can_be_numbered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_order_module, "MOST_STEPS", 2)
    assert numbered(2).tolist() == [0, 1]
    with pytest.raises(ValueError, match="3 steps are too many"):
        numbered(3)


@pytest.mark.parametrize("slot", [-1, 1, 1 << 40])
def test_a_slot_that_was_never_assigned_is_refused_before_it_is_counted(slot: int) -> None:
    state = TileState(layout())
    state.add(1)
    with pytest.raises(IndexError, match=rf"slots lie in 0\.\.0; got {slot}"):
        replay(state, [], [], *columns([]), [slot], [0])
