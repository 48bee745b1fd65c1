"""The meta of a shard: what a receipt quotes of the offsets that were gone."""

from dataclasses import replace

from shared_features.formats.shard_meta import ShardMeta, VectorEntry, merged

META = ShardMeta(
    commit_id=bytes(range(16)),
    build_id=0x0102_0304_0506_0708,
    behind=False,
    fingerprint="abcdef0123456789",
    committed_at_us=1_700_000_000_000_001,
    erasures=3,
    vector={("cards", "id-1", 0): VectorEntry(41, 1_700_000_000_000_999), ("cards", "id-1", 1): VectorEntry(-1, -1)},
    gaps=((("labels", "id-2", 7), 3, 9),),
    key=b"{millrace:cards:v1:3}:meta",
)


def test_gaps_are_named_by_a_digest_that_forgets_their_order() -> None:
    other = (("labels", "id-2", 7), 20, 21)
    assert replace(META, gaps=()).gaps_digest == 0
    assert replace(META, gaps=(*META.gaps, other)).gaps_digest == replace(META, gaps=(other, *META.gaps)).gaps_digest
    assert replace(META, gaps=(other,)).gaps_digest != META.gaps_digest


def test_gaps_that_say_the_same_have_one_digest_however_they_were_met() -> None:
    of, other = ("labels", "id-2", 7), ("labels", "id-2", 8)
    whole = replace(META, gaps=((of, 5, 10),)).gaps_digest
    assert replace(META, gaps=((of, 8, 10), (of, 5, 8))).gaps_digest == whole
    assert replace(META, gaps=((of, 5, 9), (of, 6, 10))).gaps_digest == whole
    assert replace(META, gaps=((of, 5, 8), (other, 8, 10))).gaps_digest != whole
    assert replace(META, gaps=((of, 5, 8), (of, 9, 10))).gaps_digest != whole


def test_spans_are_merged() -> None:
    assert merged([(5, 7), (1, 3), (3, 4), (6, 6)]) == [(1, 4), (5, 7)]
