"""The subject of an erasure is spelled as each store spells it, and its digest tells no key."""

from dataclasses import replace

import pytest

from shared_features.definitions import Entity
from streaming.operations.erasure.subjects.subject import Subject
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS

PAYERS, SHOPS = Entity("payer", keys=("payer",)), Entity("shop", keys=("shop", "payer"))
SEVEN = Subject(PAYERS, ("7",), frozenset({"payer"}))
BOTH = Subject(SHOPS, ("a|b", "7"), frozenset({"payer"}))


def test_the_parts_of_a_key_are_joined_as_the_stores_join_them() -> None:
    assert (SEVEN.key, BOTH.key) == ("7", "a\\|b|7")


@pytest.mark.parametrize("spelled", [7, 7.0, "7", "07"])
def test_a_whole_number_of_a_record_is_known_however_it_is_written(spelled: object) -> None:
    assert SEVEN.parts_in({"payer": spelled, "more": 1}) == SEVEN.parts
    assert BOTH.parts_in({"payer": spelled, "shop": "a|b"}) == BOTH.parts


@pytest.mark.parametrize("spelled", [8, 7.5, "seven", None, True])
def test_another_value_is_another_entity(spelled: object) -> None:
    assert SEVEN.parts_in({"payer": spelled}) != SEVEN.parts


def test_a_record_without_the_fields_has_no_parts() -> None:
    assert SEVEN.parts_in(None) == SEVEN.parts_in({}) == BOTH.parts_in({"payer": 7}) == ()


def test_a_key_is_quoted_for_sql_and_one_that_a_field_cannot_hold_has_none() -> None:
    assert SEVEN.literals(PAYMENTS) == ("7",)
    assert replace(BOTH, parts=("it's", "7")).literals(PAYMENTS) == ("'it''s'", "7")
    assert replace(SEVEN, parts=("seven",)).literals(PAYMENTS) is None
    assert replace(SEVEN, parts=("07",)).literals(PAYMENTS) is None


def test_a_source_without_the_key_has_no_events_of_it() -> None:
    assert SEVEN.is_in(PAYMENTS)
    assert not SEVEN.is_in(OUTCOMES)


def test_a_digest_depends_on_the_salt_the_entity_and_the_key() -> None:
    others = [
        replace(SEVEN, parts=("8",)),
        replace(SEVEN, entity=Entity("buyer", keys=("payer",))),
        replace(SEVEN, told_apart=True),
    ]
    digests = {SEVEN.digest(b"salt"), SEVEN.digest(b"other"), *(each.digest(b"salt") for each in others)}
    assert len(digests) == 5
    assert SEVEN.digest(b"salt") == replace(SEVEN, numbers=frozenset()).digest(b"salt")


def test_the_shard_is_that_of_the_key() -> None:
    assert {replace(SEVEN, parts=(str(each),)).shard(PAYER) for each in range(99)} == set(range(PAYER.shards))
