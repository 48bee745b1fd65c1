"""What a name in a view stands for; one that may stand for two things, or for none, is refused."""

from dataclasses import replace
from typing import Any

import pytest

from shared_features import DefinitionError, Field, Integer
from shared_features.definitions.views.named_inputs import AS_OF, NamedInputs
from shared_features.definitions.views.view_feature import Input
from tests.shared_features.definitions.orders import FIELDS, SOURCE, group, view


def test_a_name_stands_for_a_field_a_stored_feature_or_the_instant() -> None:
    named = NamedInputs("v", SOURCE, group().features)
    assert named.input("price", "price") == named.input("orders__price", "price") == Input(field="price")
    stored = Input(feature=group()["price_mean_1d"])
    assert named.input("price_mean_1d", "f") == named.input("spend__price_mean_1d", "f") == stored
    assert named.input(AS_OF, "f") == Input()


def test_a_name_that_stands_for_nothing_is_refused_with_what_there_is() -> None:
    with pytest.raises(DefinitionError, match=r"input 'prise' of 'f' is neither a field .* Did you mean 'price'"):
        NamedInputs("v", SOURCE, group().features).input("prise", "f")
    with pytest.raises(DefinitionError, match=r"feature 'x' is not a field of 'orders', .* the view reads no group"):
        NamedInputs("v", SOURCE, ()).input("x", "x")


COUNTED = replace(SOURCE, fields=(*FIELDS, Field("price_mean_1d", Integer())))


def of_both(price_mean_1d: Any) -> Any:
    return price_mean_1d


def of_the_field(orders__price_mean_1d: Any) -> Any:
    return orders__price_mean_1d


def of_the_feature(spend__price_mean_1d: Any) -> Any:
    return spend__price_mean_1d


def of_another_group(change_mean_1d: Any) -> Any:
    return change_mean_1d


def test_an_input_of_a_group_that_the_view_does_not_read_is_refused_with_what_to_write() -> None:
    """The message had only a near name: of another group, and not what was meant."""
    with pytest.raises(DefinitionError, match=r"nor a feature of spend, which the view reads.*add that group to also"):
        view(features=(group(), of_another_group))


def test_the_full_name_of_a_group_that_the_view_does_not_read_is_answered_with_also_reads() -> None:
    """The near name was that of a group with another meaning: a share of errors was always 1."""
    with pytest.raises(DefinitionError) as refused:
        NamedInputs("v", SOURCE, group().features).input("losses__price_mean_1d", "f")
    assert "The view does not read a group 'losses': write also_reads=(LOSSES,) in the view." in str(refused.value)
    assert "Did you mean" not in str(refused.value)


@pytest.mark.parametrize("asked", [of_both, "price_mean_1d"])
def test_a_field_and_a_stored_feature_of_one_name_are_told_apart_by_their_full_names(asked: Any) -> None:
    """Nobody could say which of the two a parameter meant; the field was taken, silently."""
    with pytest.raises(
        DefinitionError, match=r"ambiguous: write one of \['orders__price_mean_1d', 'spend__price_mean_1d'\]"
    ):
        view(source=COUNTED, features=(asked,), also_reads=(group(),))
    both = view(source=COUNTED, features=(of_the_field, of_the_feature), also_reads=(group(),))
    assert both.columns[0].inputs[0].field == "price_mean_1d"
    assert both.columns[1].inputs[0].feature == group()["price_mean_1d"]


def test_a_field_that_is_called_like_the_instant_of_the_request_is_told_apart_too() -> None:
    dated = replace(SOURCE, fields=(*FIELDS, Field("as_of_us", Integer())))
    with pytest.raises(DefinitionError, match=r"ambiguous: write one of \['as_of_us', 'orders__as_of_us'\]"):
        view(source=dated, features=("as_of_us",))
    assert view(source=dated, features=("orders__as_of_us",)).columns[0].inputs[0].field == "as_of_us"
