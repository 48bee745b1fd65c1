"""Arrival time is the running maximum of the stamps along the log, of events and dead letters alike."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.events import EventBatch
from streaming.archive.arrival_times import arrival_times
from streaming.kafka.records.polled import DeadLetter, Polled
from tests.streaming.small_domain import OUTCOMES

STAMPS = st.lists(st.tuples(st.booleans(), st.integers(0, 50)), max_size=12)


def polled(records: list[tuple[bool, int]]) -> Polled:
    """A log that begins at offset 0: whether each record is an event, and its stamp."""
    events = [(offset, stamp) for offset, (is_event, stamp) in enumerate(records) if is_event]
    dead = [
        DeadLetter(offset, stamp, "", None, None) for offset, (is_event, stamp) in enumerate(records) if not is_event
    ]
    stamps = np.array([stamp for _, stamp in events], np.int64)
    offsets = np.array([offset for offset, _ in events], np.int64)
    return Polled("t", "id", 0, OUTCOMES, -1, len(records) - 1, EventBatch(OUTCOMES, {}, {}, stamps), offsets, (*dead,))


@given(STAMPS, st.integers(-1, 12), st.integers(-1, 50))
def test_each_record_arrives_at_the_largest_stamp_so_far(
    records: list[tuple[bool, int]], after: int, maximum_us: int
) -> None:
    found = arrival_times(polled(records), after, maximum_us)
    events, dead, running, raised = list[int](), list[int](), maximum_us, 0
    for is_event, stamp in records[after + 1 :]:
        running = max(running, stamp)
        (events if is_event else dead).append(running)
        raised += is_event and running > stamp
    assert (found.events_us.tolist(), found.dead_us.tolist()) == (events, dead)
    assert (found.maximum_us, found.raised) == (running, raised)


def test_a_dead_letter_without_a_usable_stamp_moves_nothing() -> None:
    found = arrival_times(polled([(True, 10), (False, -1), (True, 12)]), -1, 5)
    assert found.dead_us.tolist() == [10]
    assert (found.events_us.tolist(), found.maximum_us, found.raised) == ([10, 12], 12, 0)


def test_a_batch_that_is_stored_already_keeps_the_maximum() -> None:
    found = arrival_times(polled([(True, 10), (False, 20)]), 1, 30)
    assert (len(found.events_us), len(found.dead_us), found.maximum_us, found.raised) == (0, 0, 30, 0)
