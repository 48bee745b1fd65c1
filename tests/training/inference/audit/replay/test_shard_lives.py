"""Vectors of a shard fall into lives along which no offset falls; each vector is in one of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from training.inference.audit.replay.shard_lives import lives

POSITIONS = st.sampled_from([("t", "1", 0), ("t", "1", 1), ("u", "1", 0)])
VECTORS = st.lists(st.dictionaries(POSITIONS, st.integers(-1, 4), max_size=3), max_size=8)


@given(VECTORS)
def test_each_vector_is_in_one_life_and_no_offset_falls_along_it(
    vectors: list[dict[tuple[str, str, int], int]],
) -> None:
    found = lives(vectors)
    assert sorted(at for life in found for at in life.members.tolist()) == list(range(len(vectors)))
    for life in found:
        assert life.offsets.tolist() == [
            [vectors[at].get(position, -1) for position in life.positions] for at in life.members.tolist()
        ]
        for before, after in zip(life.offsets, life.offsets[1:], strict=False):
            assert (after >= before).all()


def test_vectors_that_grow_are_one_life_in_their_order_and_a_roll_back_is_another() -> None:
    low, high, other = {("t", "1", 0): 3}, {("t", "1", 0): 9, ("t", "1", 1): 1}, {("t", "1", 1): 7}
    (life,) = lives([high, low])
    assert (life.members.tolist(), life.held("t", 0).tolist(), life.held("t", 1).tolist()) == ([1, 0], [3, 9], [-1, 1])
    assert len(lives([high, low, other])) == 2


def test_of_a_topic_that_was_re_created_the_life_with_the_highest_offset_counts() -> None:
    (life,) = lives([{("t", "old", 0): 90}, {("t", "old", 0): 90, ("t", "new", 0): 2}])
    assert life.held("t", 0).tolist() == [90, 90]
