"""What a column's name and values say about what it is."""

import pytest

from deploy.project.clues import (
    differ,
    follows,
    is_id,
    is_like_an_id,
    is_truth,
    middle,
    mostly_there,
    named,
    names_an_entity,
)
from deploy.project.column import Column, look_at


def column(name: str, *values: object) -> Column:
    return look_at(name, name, [*values])


@pytest.mark.parametrize(
    ("values", "truth"), [((0, 1, 1), True), ((True, False), True), ((0, 1, 2), False), ((1, 1), False)]
)
def test_a_truth_has_both_values_and_no_other(values: tuple[object, ...], truth: bool) -> None:
    assert is_truth(column("a", *values)) == truth


def test_a_time_follows_another_where_both_are_there() -> None:
    first = column("at", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
    second = column("known_at", "2026-01-01T00:00:00Z", None, "2026-01-04T00:00:00Z")
    assert follows(second, first)
    assert not follows(first, second)
    assert middle(first) == 1_767_312_000_000_000


@pytest.mark.parametrize("name", ["order_id", "orderId", "id", "order"])
def test_the_name_of_an_id_names_the_event(name: str) -> None:
    assert is_id(column(name, 1, 2), "orders")


def test_one_word_in_every_row_is_like_an_id_and_a_sentence_is_not() -> None:
    assert is_like_an_id(column("a", "x1", "x2"))
    assert not is_like_an_id(column("a", "x1", "x1"))
    assert not is_like_an_id(column("a", "x 1", "x 2"))


def test_a_key_repeats_and_is_never_missing() -> None:
    assert names_an_entity(column("shop", "a", "a", "b", "b"))
    assert not names_an_entity(column("shop", "a", "a", "b", None))
    assert not names_an_entity(column("shop", "a", "b", "c", "d"))
    assert not names_an_entity(column("shop", "a", "a", "a", "a"))
    assert not names_an_entity(column("pieces", 1, 1, 2, 2))  # a number names an entity by its name alone
    assert names_an_entity(column("customer_id", 1, 1, 2, 2))


def test_shares_are_of_the_values_and_of_the_rows() -> None:
    assert differ(column("a", "x", "x", "y", None)) == pytest.approx(2 / 3)
    assert mostly_there(column("a", *(["x"] * 19), None))
    assert not mostly_there(column("a", *(["x"] * 18), None, None))
    assert named(column("shopName", "x"), {"shop"})
