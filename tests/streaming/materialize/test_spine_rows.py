"""Feature rows equal their definition, bit for bit, whatever happened on the way."""

import pytest

from shared_features.kernel.event_time import SECOND_US
from streaming.lake.event_rows import EventRows
from streaming.materialize.spine_rows import SpineRows, contradicted_ids, copies
from tests.depth import seeds
from tests.domains.machines import MACHINE_HEAT, READINGS
from tests.streaming.materialize.world import World


@pytest.mark.parametrize("seed", seeds(quick=2, deep=5))
def test_feature_rows_equal_the_oracle_over_the_stored_events(tmp_path, seed):
    """Late, early, equal and duplicate events, marks, cuts, restarts, snapshots and zombies, in any order."""
    world = World(tmp_path, seed, lag_us=(seed % 3 == 0) * SECOND_US)
    for _ in range(260):
        x = world.r.random()
        if x < 0.75:
            world.produce()
        elif x < 0.87:
            world.archive()
        else:
            world.materialize(world.r.choice(world.spines))
    world.settle()
    world.check()


def test_a_pass_without_rows_contradicts_nothing_though_event_ids_are_texts():
    """Of no texts Arrow makes a column of nulls, which cannot be counted: materialize ended again and again."""
    nothing = SpineRows.of(MACHINE_HEAT, EventRows.empty(READINGS))
    assert contradicted_ids(nothing, copies(nothing)) == []
