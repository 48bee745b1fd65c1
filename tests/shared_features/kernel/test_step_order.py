"""The steps of a replay: slot by slot, each slot's by time, an effect at t before a read at t, ties as they came."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared_features.kernel import step_order as step_order_module
from shared_features.kernel.replay import replay
from shared_features.kernel.step_order import Reads, Updates, reads_in_order, settling, step_order, updates_in_order
from shared_features.kernel.tile_state import TileState
from tests.shared_features.kernel.engine import columns
from tests.strategies import layout

SLOTS = st.integers(0, 3) | st.sampled_from([70, 1 << 20])
Rows = list[tuple[int, int]]
ROWS = st.lists(st.tuples(SLOTS, st.integers(-3, 3)), max_size=12)  # (slot, instant)


@given(ROWS, ROWS)
@example([], [])
@example([(0, 1), ((1 << 31) - 1, 0)], [((1 << 31) - 1, 0), (0, 0)])
def test_steps_are_those_of_a_sort_by_slot_and_time(updates: Rows, reads: Rows) -> None:
    named = [(slot, at, 0, i) for i, (slot, at) in enumerate(updates)]
    named += [(slot, at, 1, i) for i, (slot, at) in enumerate(reads)]
    wanted = [(slot, i, bool(is_read)) for slot, _, is_read, i in sorted(named)]
    effect_us, read_at_us = (np.array([at for _, at in rows], np.int64) for rows in (updates, reads))
    as_of_us = 7 * np.arange(len(reads))
    steps = step_order(
        given_updates([slot for slot, _ in updates]), effect_us, Reads(slots(reads), as_of_us), read_at_us
    )
    assert steps.numbers.tolist() == [-1 - i if is_read else i for _, i, is_read in wanted]
    assert steps.slots.tolist() == [slot for slot, _, _ in wanted]
    assert steps.events.tolist() == [[i, i, i, 0, 1, 0] for _, i, is_read in wanted if not is_read]
    assert steps.as_of_us.tolist() == [7 * i for _, i, is_read in wanted if is_read]


def test_steps_in_the_order_in_which_they_are_given() -> None:
    given = given_updates([5, 3, 5])
    applied, read = updates_in_order(given), reads_in_order(Reads(given.slots, np.array([4, 6, 1])))
    assert (applied.numbers.tolist(), applied.slots.tolist()) == ([0, 1, 2], [5, 3, 5])
    assert applied.events.tolist() == [[i, i, i, 0, 1, 0] for i in range(3)]
    assert (read.numbers.tolist(), read.slots.tolist(), read.as_of_us.tolist()) == ([-1, -2, -3], [5, 3, 5], [4, 6, 1])
    assert not len(read.events)


def given_updates(slots: list[int]) -> Updates:
    """Events i of time, digest and first value i; the second one is missing, whatever stands there."""
    i, valid = np.arange(len(slots)), np.zeros((len(slots), 2), np.bool_)
    valid[:, 0] = True
    values = np.stack([i, np.full(len(slots), 9)], axis=1)
    return Updates(np.array(slots, np.int64), i, i.astype(np.uint64), values, valid)


def slots(rows: Rows) -> NDArray[np.int64]:
    return np.array([slot for slot, _ in rows], np.int64)


def test_more_steps_than_can_be_numbered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_order_module, "MOST_STEPS", 2)
    assert settling(np.arange(2)).numbers.tolist() == [0, 1]
    for steps in (
        lambda: settling(np.arange(3)),
        lambda: step_order(given_updates([0, 0, 0]), np.arange(3), Reads(*[np.empty(0, np.int64)] * 2), np.arange(0)),
    ):
        with pytest.raises(ValueError, match="3 steps are too many"):
            steps()


@pytest.mark.parametrize("slot", [-1, 1, 1 << 40])
def test_a_slot_that_was_never_assigned_is_refused_before_it_is_counted(slot: int) -> None:
    state = TileState(layout())
    state.add(1)
    with pytest.raises(IndexError, match=rf"slots lie in 0\.\.0; got {slot}"):
        replay(state, [], [], *columns([]), [slot], [0])
