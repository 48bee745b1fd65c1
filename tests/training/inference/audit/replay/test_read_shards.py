"""Of a shard that life continues which the latest rows were read at, and what no row is read at costs nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.inference.audit.replay.counted_replays import (
    COUNTED,
    MACHINES,
    WARM,
    came,
    count_reads,
    of_shard,
    rows_at,
    written,
)
from training.inference.audit.replay.replay_budget import ReplayBudget


def test_a_shard_that_nobody_asks_for_costs_the_others_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay, events_read = written(tmp_path, ReplayBudget(2_000_000), WARM), count_reads(monkeypatch)
    idle = of_shard(3)
    others = sorted({*range(MACHINES)} - {*idle})
    replay.values(rows_at(300, range(MACHINES), WARM))
    for place in range(400, 1_000, 100):
        assert events_read(replay, rows_at(place, others, WARM)) == came(place - 100, place, others)
    assert events_read(replay, rows_at(1_000, idle, WARM)) == came(300, 1_000, idle)
    assert events_read(replay, rows_at(1_050, range(MACHINES), WARM)) <= came(900, 1_050)


def test_a_group_without_states_costs_the_others_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that the endpoint could not read for a while."""
    replay, events_read = written(tmp_path, ReplayBudget(2_000_000), WARM, COUNTED), count_reads(monkeypatch)
    for before, place in ((0, 300), (300, 400), (400, 500)):
        rows = rows_at(place, range(MACHINES), WARM, COUNTED)
        absent = replace(rows, chosen={**rows.chosen, COUNTED.part_name: np.full(MACHINES, -1)})
        assert events_read(replay, absent) == came(before, place)


def test_a_shard_that_was_rolled_back_is_carried_on_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay, events_read = written(tmp_path, ReplayBudget(2_000_000), WARM), count_reads(monkeypatch)
    replay.values(rows_at(700, range(MACHINES), WARM))
    assert events_read(replay, rows_at(800, range(MACHINES), WARM, held=300)) == came(0, 300)
    assert events_read(replay, rows_at(900, range(MACHINES), WARM, held=400)) == came(300, 400)


def test_earlier_rows_that_come_late_do_not_end_a_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay, events_read = written(tmp_path, ReplayBudget(2_000_000), WARM), count_reads(monkeypatch)
    replay.values(rows_at(700, range(MACHINES), WARM))
    assert events_read(replay, rows_at(690, [4], WARM)) == came(0, 690, [4])
    assert events_read(replay, rows_at(800, range(MACHINES), WARM)) == came(700, 800)
