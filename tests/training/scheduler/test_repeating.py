"""It begins at once, goes on while the block lasts, and does nothing any more after it."""

import threading

from training.scheduler.repeating import repeating


def test_it_acts_at_once_and_again_until_the_block_ends():
    times = 0
    thrice = threading.Event()

    def act():
        nonlocal times
        times += 1
        if times == 3:
            thrice.set()

    with repeating("counting", 0.001, act):
        assert thrice.wait(60)
    after = times
    threading.Event().wait(0.05)
    assert times == after


def test_the_block_is_not_held_back_by_a_long_pause():
    acted = threading.Event()
    with repeating("acting once", 3_600, acted.set):
        assert acted.wait(60)
