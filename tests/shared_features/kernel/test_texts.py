"""Texts compare like texts, on one row and on many; whatever else is asked of them is refused and never a number."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_features.kernel.hashing import text_codes
from shared_features.kernel.texts import Texts
from tests.depth import searched

WORDS = st.none() | st.sampled_from(["gold", "silver", "", "basic", "Gold", "gold ", "gëld"]) | st.text(max_size=12)
ROWS = st.lists(WORDS, max_size=30)

COMPARISONS: dict[str, tuple[Any, Any]] = {
    "== a text": (lambda plan, other: plan == "gold", lambda plan, other: plan == "gold"),
    "a text ==": (lambda plan, other: "gold" == plan, lambda plan, other: plan == "gold"),  # noqa: SIM300
    "!= a text": (lambda plan, other: plan != "gold", lambda plan, other: plan != "gold"),
    "np.equal": (lambda plan, other: np.equal(plan, "gold"), lambda plan, other: plan == "gold"),
    "np.equal the other way": (lambda plan, other: np.equal("gold", plan), lambda plan, other: plan == "gold"),
    "np.not_equal": (lambda plan, other: np.not_equal(plan, "gold"), lambda plan, other: plan != "gold"),
    "a numpy text": (lambda plan, other: plan == np.str_("gold"), lambda plan, other: plan == "gold"),
    "other texts": (lambda plan, other: plan == other, lambda plan, other: plan == other and plan is not None),
    "unlike other texts": (lambda plan, other: plan != other, lambda plan, other: plan is None or plan != other),
    "np.isin": (lambda plan, other: np.isin(plan, ["gold", ""]), lambda plan, other: plan in ("gold", "")),
    "np.isin, inverted": (
        lambda plan, other: np.isin(plan, ("gold", ""), invert=True),
        lambda plan, other: plan not in ("gold", ""),
    ),
    "np.isin of many": (
        lambda plan, other: np.isin(plan, np.array(["gold", *map(str, range(40))])),
        lambda plan, other: plan in {"gold", *map(str, range(40))},
    ),
    "np.isnan": (lambda plan, other: np.isnan(plan), lambda plan, other: plan is None),
    "np.where of a comparison": (
        lambda plan, other: np.where(plan == "gold", 1.0, 0.0) == 1.0,
        lambda plan, other: plan == "gold",
    ),
    "np.where of texts": (
        lambda plan, other: np.equal(np.where(np.isnan(plan), other, plan), "gold"),
        lambda plan, other: (other if plan is None else plan) == "gold",
    ),
    "np.where of a text": (
        lambda plan, other: np.equal(np.where(np.isnan(plan), "gold", plan), "gold"),
        lambda plan, other: plan in (None, "gold"),
    ),
}


@pytest.mark.parametrize("name", COMPARISONS)
@settings(max_examples=searched(quick=10, deep=30))
@given(plans=ROWS, data=st.data())
def test_texts_compare_as_texts_do_on_one_row_and_on_many(name, plans, data) -> None:
    compared, right = COMPARISONS[name]
    others = [data.draw(st.sampled_from([*plans, "gold", None])) for _ in plans]
    many = compared(Texts.of(plans), Texts.of(others))
    expected = [right(*row) for row in zip(plans, others, strict=True)]
    assert many.dtype == np.bool_
    assert many.tolist() == expected
    ones = [compared(Texts.of(plan), Texts.of(other)) for plan, other in zip(plans, others, strict=True)]
    assert [bool(each) for each in ones] == expected
    assert all(np.shape(each) == () for each in ones)


def test_one_text_may_be_looked_for_among_others() -> None:
    assert Texts.of("gold") in ("silver", "gold")
    assert Texts.of(None) not in ("silver", "gold")


REFUSED: dict[str, Any] = {
    "a number": lambda plan: plan == 3,
    "a code": lambda plan: np.equal(plan, text_codes(["gold"])),
    "None": lambda plan: plan == None,  # noqa: E711
    "numbers among texts": lambda plan: np.isin(plan, np.array(["gold", 3], object)),
    "less": lambda plan: plan < "gold",
    "np.less": lambda plan: np.less(plan, "gold"),
    "a sum": lambda plan: plan + 1.0,
    "a sum with an array": lambda plan: np.ones(2) + plan,
    "np.add": lambda plan: np.add(plan, 1.0),
    "np.sum": np.sum,
    "np.unique": np.unique,
    "np.asarray": np.asarray,
    "float": float,
    "its truth value": bool,
    "a part": lambda plan: "go" in plan,
    "a member of a set": lambda plan: plan in frozenset({"gold"}),
    "a key": lambda plan: {"gold": 1.0}[plan],
    "np.where of a text and a number": lambda plan: np.where(np.isnan(plan), 0.0, plan),
    "np.strings": lambda plan: np.strings.lower(plan),
    "np.vectorize": lambda plan: np.vectorize(str.lower)(plan),
    "np.frompyfunc": lambda plan: np.frompyfunc(str.lower, 1, 1)(plan),
    "stored in an array": lambda plan: np.empty(2).__setitem__(slice(None), plan),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("plan", [Texts.of(["gold", None]), Texts.of("gold")], ids=["many", "one"])
def test_what_is_no_comparison_is_refused(name, plan) -> None:
    with pytest.raises(TypeError):
        REFUSED[name](plan)


def test_a_method_of_a_text_is_refused_with_what_to_write() -> None:
    with pytest.raises(
        AttributeError, match=r"no 'lower' in an on-demand function, which can only compare it\. Use =="
    ):
        Texts.of("gold").lower()
