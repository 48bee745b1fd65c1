"""When a process that ended comes back: the delays alone, no process and no clock."""

import random

from streaming.job.restart_policy import RestartPolicy


def policy() -> RestartPolicy:
    return RestartPolicy(first_s=1.0, longest_s=60.0, healthy_s=60.0, chance=random.Random(1))


def test_a_process_that_fails_again_and_again_waits_longer_and_longer() -> None:
    delays = [fails.delay_after(1, lived_s=2.0) for fails in [policy()] for _ in range(12)]
    for number, delay in enumerate(delays):
        assert min(60.0, 2.0**number) / 2 <= delay <= min(60.0, 2.0**number)


def test_many_that_fail_together_do_not_come_back_in_step() -> None:
    assert len({RestartPolicy().delay_after(1, 0.0) for _ in range(20)}) == 20


def test_a_healthy_minute_makes_up_for_earlier_failures() -> None:
    fails = policy()
    for _ in range(6):
        fails.delay_after(1, lived_s=2.0)
    assert fails.delay_after(1, lived_s=61.0) <= 1.0


def test_75_comes_back_at_once_but_not_for_ever() -> None:
    """Two owners that steal from each other would otherwise restart as fast as they can."""
    fails = policy()
    assert [fails.delay_after(75, 1.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    backing_off = [fails.delay_after(75, 1.0) for _ in range(4)]
    assert all(later > 0 for later in backing_off)
    assert backing_off[-1] > backing_off[0]


def test_75_comes_back_at_once_again_after_a_healthy_minute() -> None:
    fails = policy()
    for _ in range(8):
        fails.delay_after(75, 1.0)
    assert fails.delay_after(75, 90.0) == 0.0


def test_a_child_that_a_person_stopped_comes_back_at_once() -> None:
    assert policy().delay_after(0, 5.0) == 0.0
