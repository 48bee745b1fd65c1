"""A copy is known within what is remembered, and memory is bounded."""

from __future__ import annotations

import numpy as np

from streaming.archive.expectations.copied_events import CopiedEvents


def test_an_event_that_came_before_is_a_copy_within_a_batch_and_across_batches() -> None:
    known = CopiedEvents()
    assert known.are_copies(np.array([1, 2, 1], np.uint64)).tolist() == [False, False, True]
    assert known.are_copies(np.array([3, 2], np.uint64)).tolist() == [False, True]


def test_half_of_what_is_remembered_is_known_and_the_oldest_events_are_forgotten() -> None:
    known = CopiedEvents(most=4)
    known.are_copies(np.array([1, 2, 3, 4, 5], np.uint64))
    assert known.are_copies(np.array([5, 4, 3, 2, 1], np.uint64)).tolist() == [True, True, True, False, False]
