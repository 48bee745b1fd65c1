"""What a seed draws: the same every time, from all kinds, without what the machine lacks."""

from __future__ import annotations

from collections import Counter

from tests.chaos.faults import FAULTS
from tests.chaos.schedule import FEWEST, MOST, brokers_of, draw
from tests.chaos.world import RESOURCES


def test_a_seed_draws_the_same_faults_every_time() -> None:
    assert draw(7) == draw(7)
    first, again = (each.stream(7).random() for each in (draw(7)[0], draw(7)[0]))
    assert first == again
    assert draw(7) != draw(8)


def test_200_seeds_draw_every_kind_often() -> None:
    plans = [draw(seed) for seed in range(1, 201)]
    assert all(FEWEST <= len(plan) <= MOST for plan in plans)
    drawn = Counter(each.fault.kind for plan in plans for each in plan)
    assert drawn.keys() == FAULTS.keys()
    assert min(drawn.values()) >= 10, drawn


def test_what_the_machine_lacks_is_not_drawn() -> None:
    drawn = {each.fault.kind for seed in range(300) for each in draw(seed, lacking={"clock": "", "disk": ""})}
    assert drawn == {kind for kind, fault in FAULTS.items() if fault.lacking is None}
    assert {each.fault.kind for seed in range(20) for each in draw(seed, only={"kill_one"})} == {"kill_one"}


def test_every_fifth_seed_has_two_brokers_and_no_other_draws_what_needs_them() -> None:
    assert [seed for seed in range(1, 21) if brokers_of(seed) == 2] == [5, 10, 15, 20]
    for seed in range(1, 200):
        assert all(each.fault.brokers <= brokers_of(seed) for each in draw(seed))
    assert brokers_of(1, {"leaders_moved"}) == 2
    assert brokers_of(1, {"leaders_moved", "kill_one"}) == 1


def test_every_fault_says_what_it_strikes() -> None:
    assert all(fault.wants and fault.wants <= RESOURCES for fault in FAULTS.values())
