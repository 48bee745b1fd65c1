"""Equal parts have an equal key, and what differs between two keys is said in words."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from training.steps.step_key import differences, key_of

VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
NAMES = st.sampled_from(["a", "b", "c"])
PARTS = st.fixed_dictionaries(
    {
        "step": st.sampled_from(["dataset", "train"]),
        "code": st.text(max_size=3),
        "libraries": st.dictionaries(NAMES, st.text(max_size=3)),
        "parameters": st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES)),
        "inputs": st.dictionaries(NAMES, st.text(min_size=1, max_size=3)),
    }
)


@given(PARTS)
def test_the_order_of_parts_does_not_matter(parts: dict[str, Any]) -> None:
    turned = {name: parts[name] for name in reversed(parts)}
    assert key_of(parts) == key_of(turned)
    assert differences(parts, turned) == []


@given(PARTS, PARTS)
def test_a_difference_that_is_said_is_another_key(before: dict[str, Any], now: dict[str, Any]) -> None:
    if differences(before, now):
        assert key_of(before) != key_of(now)


def test_each_difference_is_named() -> None:
    before = {
        "code": "1",
        "libraries": {"numpy": "2.0"},
        "parameters": {"seed": 1, "dataset": {"days": 7}},
        "inputs": {"dataset": "x", "gone": "y"},
    }
    now = {
        "code": "2",
        "libraries": {"numpy": "2.1"},
        "parameters": {"seed": 2, "dataset": {"days": 9}},
        "inputs": {"dataset": "z", "fresh": "y"},
    }
    assert sorted(differences(before, now)) == [
        "dataset.days changed from 7 to 9",
        "input dataset changed",
        "input fresh is new",
        "input gone is gone",
        "its code changed",
        'numpy changed from "2.0" to "2.1"',
        "seed changed from 1 to 2",
    ]


def test_a_long_value_is_cut() -> None:
    (said,) = differences({"parameters": {"a": "x" * 99}}, {"parameters": {"a": 1}})
    assert said == f'a changed from "{"x" * 56}... to 1'
