"""Two entities never share a spelling, and the shard of a key follows from the spelling alone."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.definitions import Entity
from shared_features.formats.entity_keys import entity_keys, escape, has_integer_key, key_texts, shards_of, split_key
from tests.streaming.small_domain import PAYMENTS

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("|\\"), max_size=6)
BOTH = Entity("both", keys=("shop", "note"))
SHOPS = Entity("shop", keys=("shop",))
PAYERS = Entity("payer", keys=("payer",))


def spelled(*parts: str) -> str:
    columns = {name: np.array([part, None], object)[:1] for name, part in zip(BOTH.keys, parts, strict=True)}
    return key_texts(entity_keys(BOTH, PAYMENTS, columns))[0]


@given(st.tuples(TEXTS, TEXTS), st.tuples(TEXTS, TEXTS))
def test_different_keys_are_spelled_differently(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (spelled(*one) == spelled(*other)) == (one == other)


def test_a_separator_within_a_field_is_escaped() -> None:
    assert spelled("a|b", "c") == "a\\|b|c"
    assert spelled("a", "b|c") == "a|b\\|c"
    assert spelled("a\\", "b") == "a\\\\|b"


def test_a_single_whole_number_stays_a_column_and_is_spelled_as_itself() -> None:
    numbers = np.array([-5, 0, 7], np.int64)
    keys = entity_keys(PAYERS, PAYMENTS, {"payer": numbers})
    assert keys is numbers
    assert key_texts(keys) == ["-5", "0", "7"]
    assert has_integer_key(PAYERS, PAYMENTS)
    assert not has_integer_key(SHOPS, PAYMENTS)
    assert not has_integer_key(replace(PAYERS, keys=("payer", "shop")), PAYMENTS)


@given(st.lists(TEXTS, max_size=8), st.integers(1, 64))
def test_a_key_has_one_shard_wherever_it_stands(keys: list[str], shards: int) -> None:
    found = shards_of(keys, shards)
    assert all(0 <= shard < shards for shard in found)
    assert found[::-1].tolist() == shards_of(keys[::-1], shards).tolist()


@given(st.lists(st.text("ab|\\", max_size=4), min_size=1, max_size=4))
def test_a_key_is_split_into_the_fields_that_made_it(parts: list[str]) -> None:
    assert split_key("|".join(map(escape, parts))) == parts
