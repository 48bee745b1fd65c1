"""No more than the limit in the long run, a second's worth at once; and the wait that is told is the one that helps."""

from __future__ import annotations

import random

import pytest

from shared_features.access.rate_limit import RateLimit


def test_a_seconds_worth_is_taken_at_once_and_the_rest_is_told_when() -> None:
    limit = RateLimit(3)
    assert [limit.take(1, 100.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    wait_s = limit.take(1, 100.0)
    assert wait_s == pytest.approx(1 / 3)
    assert limit.take(1, 100.0 + 0.9 * wait_s) > 0
    assert limit.take(1, 100.0 + wait_s) == 0.0


def test_a_batch_larger_than_the_limit_is_answered_and_paid_off() -> None:
    limit = RateLimit(10)
    assert limit.take(35, 50.0) == 0.0
    assert limit.take(1, 50.0) == pytest.approx(2.6)
    assert limit.take(1, 52.6) == 0.0


def test_a_limit_below_one_a_second_lets_one_through() -> None:
    limit = RateLimit(0.1)
    assert limit.take(1, 7.0) == 0.0
    assert limit.take(1, 7.0) == pytest.approx(10.0)


def test_a_clock_that_stands_gives_nothing() -> None:
    limit = RateLimit(1)
    assert limit.take(1, 9.0) == 0.0
    assert limit.take(1, 8.0) == pytest.approx(1.0)


@pytest.mark.parametrize("per_s", [0.7, 5.0, 333.3])
def test_what_is_taken_stays_within_the_limit_however_it_is_asked_for(per_s: float) -> None:
    drawn, now_s, taken, most_at_once = random.Random(1), 1_000.0, 0, 20
    limit = RateLimit(per_s)
    for _ in range(20_000):
        now_s += drawn.expovariate(2 * per_s)
        number = drawn.randint(1, most_at_once)
        if limit.take(number, now_s) == 0.0:
            taken += number
    lasted_s = now_s - 1_000.0
    assert 0.95 * per_s * lasted_s < taken <= per_s * lasted_s + max(1.0, per_s) + most_at_once
