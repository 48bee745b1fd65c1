"""All replays of an audit fit into one budget, and what does not fit costs what it would cost alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.inference.audit.replay.counted_replays import (
    COUNTED,
    MACHINES,
    WARM,
    came,
    count_reads,
    rows_at,
    written,
)
from training.inference.audit.replay.replay_budget import ReplayBudget


def test_beyond_the_budget_rows_read_the_events_of_their_own_entities_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget, events_read = ReplayBudget(1), count_reads(monkeypatch)
    replay = written(tmp_path, budget, WARM)
    for place in range(300, 1_000, 50):
        machines = range(place // 50 % MACHINES, MACHINES, 7)
        assert events_read(replay, rows_at(place, machines, WARM)) == came(0, place, machines)
        budget.evict()
        assert replay.oldest_us is None


def test_an_entity_of_which_no_state_is_left_is_carried_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor read again with others: its shard was rolled back, and it was not asked for since."""
    replay, events_read = written(tmp_path, ReplayBudget(2_000_000), COUNTED), count_reads(monkeypatch)
    replay.values(rows_at(500, range(MACHINES), COUNTED))
    replay.values(rows_at(600, [3], COUNTED, held=300))
    assert events_read(replay, rows_at(700, [3], COUNTED)) == came(300, 700, [3])


def test_replays_share_a_budget_and_entities_asked_for_longest_ago_leave_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the budget by a little, half of the entities of one replay leave, which is asked for no more."""
    unbounded, events_read = ReplayBudget(2_000_000), count_reads(monkeypatch)
    alone = written(tmp_path, unbounded, WARM)
    alone.values(rows_at(700, range(MACHINES), WARM))
    budget = ReplayBudget(alone.nbytes * 3 // 2 // 200)
    idle, busy = (written(tmp_path, budget, WARM) for _ in range(2))
    for place in (400, 500):
        idle.values(rows_at(place, range(place // 100 % 2, MACHINES, 2), WARM))
    for place in (600, 700):
        busy.values(rows_at(place, range(MACHINES), WARM))
        budget.evict()
        assert idle.nbytes + busy.nbytes <= budget.events_at_once * 200
    assert events_read(busy, rows_at(800, range(MACHINES), WARM)) == came(700, 800)
    lately = range(1, MACHINES, 2)
    assert events_read(idle, rows_at(800, lately, WARM)) == came(500, 800, lately)
    assert events_read(idle, rows_at(800, range(0, MACHINES, 2), WARM)) == came(0, 800, range(0, MACHINES, 2))


def test_what_is_known_of_entities_fits_too(tmp_path: Path) -> None:
    """Their keys alone are more than that: nobody has seen an event of these machines."""
    budget = ReplayBudget(1_000)
    replay = written(tmp_path, budget, COUNTED)
    for first in range(1_000, 9_000, 1_000):
        found = replay.values(rows_at(500, range(first, first + 1_000), COUNTED))
        np.testing.assert_array_equal(found[COUNTED.part_name], 0)
        budget.evict()
        assert replay.nbytes <= 1_000 * 200
