"""How long waits are after failures, and how a request to stop ends them."""

import random

import pytest

from streaming.errors import StoppedWaiting
from streaming.job.backoff import Backoff, Tries


def test_waits_double_up_to_the_longest():
    backoff = Backoff(first_s=0.5, longest_s=8.0)
    for failures in range(1, 2_000):
        full = min(8.0, 0.5 * 2.0 ** min(failures - 1, 40))
        assert full / 2 <= backoff.wait_s(failures) <= full


def test_the_first_tries_again_may_be_at_once():
    backoff = Backoff(first_s=0.5, longest_s=8.0, at_once=2)
    assert [backoff.wait_s(failures) for failures in (1, 2)] == [0.0, 0.0]
    assert 0.25 <= backoff.wait_s(3) <= 0.5


def test_many_that_fail_together_do_not_come_back_in_step():
    assert len({Backoff(1.0, 8.0).wait_s(1) for _ in range(20)}) == 20
    assert Backoff(1.0, 8.0).wait_s(1, random.Random(1)) == Backoff(1.0, 8.0).wait_s(1, random.Random(1))


def test_tries_wait_longer_and_longer():
    slept: list[float] = []

    def sleep(seconds: float) -> bool:
        slept.append(seconds)
        return False

    tries = Tries(Backoff(1.0, 100.0), "asked to stop", sleep)
    for _ in range(5):
        tries.wait()
    assert tries.failed == 5
    assert all(2.0**number / 2 <= seconds <= 2.0**number for number, seconds in enumerate(slept))


def test_a_request_to_stop_ends_the_waiting():
    tries = Tries(Backoff(1.0, 1.0), "asked to stop while Redis is unavailable", lambda seconds: True)
    with pytest.raises(StoppedWaiting, match=r"^asked to stop while Redis is unavailable$"):
        tries.wait()


def test_some_tries_are_made_while_stopping():
    tries = Tries(Backoff(1.0, 1.0), "asked to stop", lambda seconds: True, while_stopping=2)
    tries.wait()
    tries.wait()
    with pytest.raises(StoppedWaiting):
        tries.wait()
