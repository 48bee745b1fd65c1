"""Segments of a pool: whatever is asked, no two entities share a place, and nothing lies outside of the pool."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.kernel.loops.segments import (
    BASE,
    CAPACITY,
    FIELDS,
    GARBAGE,
    LENGTH,
    MOVES,
    NO_ROOM,
    START,
    STAYS,
    TOP,
    WANTED,
    has_room,
    plan_room,
)

plan: Any = plan_room.py_func  # type: ignore[attr-defined]  # the loop as Python: no compiled caller is needed
fits: Any = has_room.py_func  # type: ignore[attr-defined]
ENTITIES, POOL = 3, 60
ASKED = st.lists(
    st.tuples(st.integers(0, ENTITIES - 1), st.sampled_from(("come", "come", "leave")), st.integers(1, 9)), max_size=40
)


@given(ASKED)
def test_elements_keep_their_order_and_nobody_takes_the_place_of_another(asked: list[tuple[int, str, int]]) -> None:
    """Against plain lists. A pool that is full refuses, and changes nothing but what it wanted."""
    segments, usage = np.zeros((ENTITIES, FIELDS), np.int64), np.zeros(3, np.int64)
    pool, wanted, counter = np.full(POOL, -1), [list[int]() for _ in range(ENTITIES)], 0
    for entity, what, count in asked:
        segment = segments[entity]
        if what == "leave":
            gone = min(count, len(wanted[entity]))
            segment[START] += gone
            segment[LENGTH] -= gone
            wanted[entity] = wanted[entity][gone:]
            continue
        before, had_room = (segments.copy(), usage.copy()), fits(segment, count)
        found = plan(segment, usage, POOL, count)
        assert (found == STAYS) >= had_room, "there was room, and elements were to be copied"
        if found == NO_ROOM:
            assert usage[WANTED] >= len(wanted[entity]) + count
            assert (segments == before[0]).all()
            assert usage[[TOP, GARBAGE]].tolist() == before[1][[TOP, GARBAGE]].tolist()
            continue
        if found == MOVES:
            held = pool[segment[START] : segment[START] + segment[LENGTH]].copy()
            pool[segment[BASE] : segment[BASE] + segment[LENGTH]] = held
            segment[START] = segment[BASE]
        assert fits(segment, count)
        for _ in range(count):
            pool[segment[START] + segment[LENGTH]] = counter
            segment[LENGTH] += 1
            wanted[entity].append(counter)
            counter += 1
        places = [place for each in segments for place in range(each[BASE], each[BASE] + each[CAPACITY])]
        assert len(set(places)) == len(places), "two entities share a place"
        assert all(place < usage[TOP] <= POOL for place in places)
        assert usage[TOP] == len(places) + usage[GARBAGE], "a place is lost: it is nobody's and not counted as garbage"
    for segment, own in zip(segments, wanted, strict=True):
        assert pool[segment[START] : segment[START] + segment[LENGTH]].tolist() == own


def test_the_last_segment_grows_where_it_is_and_another_one_moves_to_the_end() -> None:
    segments, usage = np.zeros((2, FIELDS), np.int64), np.zeros(3, np.int64)
    for segment in segments:
        plan(segment, usage, 100, 4)
        segment[START], segment[LENGTH] = segment[BASE], segment[CAPACITY]
    first, last = segments
    base = int(last[BASE])
    assert plan(last, usage, 100, 1) == STAYS
    assert (int(last[BASE]), int(usage[GARBAGE])) == (base, 0)
    left = int(first[CAPACITY])
    assert plan(first, usage, 100, 1) == MOVES
    assert (int(first[BASE]), int(usage[GARBAGE])) == (base + int(last[CAPACITY]), left)
