"""Each attribute that differs is one sentence, in the words of the one who wrote the definition."""

from typing import Any

import pytest

from shared_features.definitions.changes.changes import changes_between, field_changes

DAY_US = 86_400_000_000

SENTENCES: dict[str, tuple[str, Any, Any]] = {
    "allowed lateness: 1 d -> none": ("lateness_us", DAY_US, None),
    "pipeline lag: 1 min -> 1 h": ("lag_us", 60_000_000, 3_600_000_000),
    "tolerated future: 1 d -> 1 h": ("tolerated_future", DAY_US, 3_600_000_000),
    "as it was: no -> yes": ("as_it_was", False, True),
    "groups: payer was removed": ("groups", {"payer": {}}, {}),
    "group payer: shards: 4 -> 8": ("groups", {"payer": {"shards": 4}}, {"payer": {"shards": 8}}),
    "labels were added": ("labels", None, ["LabelSource", {}]),
    "labels: delay: 1 d -> 1 h": (
        "labels",
        ["LabelSource", {"delay": DAY_US}],
        ["LabelSource", {"delay": 3_600_000_000}],
    ),
    "features: in another order": ("features", ["a", "b"], ["b", "a"]),
    "spine: orders -> refunds": ("spine", ["EventSource", {"name": "orders"}], ["EventSource", {"name": "refunds"}]),
    "on-demand function ratio has changed": ("functions", {"ratio": "12"}, {"ratio": "34"}),
    "conditions: kind == 'a' was removed": (
        "where",
        [["Condition", {"column": "kind", "operator": "==", "value": "a"}]],
        [],
    ),
}


@pytest.mark.parametrize("says", SENTENCES)
def test_an_attribute_that_differs_is_named(says: str) -> None:
    name, was, now = SENTENCES[says]
    assert list(changes_between({name: was, "same": 1}, {name: now, "same": 1})) == [says]


def test_equal_definitions_have_no_changes() -> None:
    assert not list(changes_between({"shards": 4, "where": []}, {"shards": 4, "where": []}))


def test_an_attribute_that_came_or_went_is_named_after_those_that_stayed() -> None:
    assert list(changes_between({"a": 1, "b": 2}, {"b": 3, "c": 4})) == ["a: 1 -> none", "b: 2 -> 3", "c: none -> 4"]


def field(kind: str, **options: Any) -> dict[str, Any]:
    return {"name": "price", "optional": False, "type": [kind, options]}


def test_of_a_field_whose_type_changed_the_options_are_not_compared() -> None:
    assert list(field_changes(field("Decimal", decimals=2), field("Integer"))) == ["type Decimal -> Integer"]
    assert list(field_changes(field("Decimal", decimals=2), field("Decimal", decimals=3))) == ["decimals 2 -> 3"]


def test_that_a_value_may_be_missing_is_a_change_of_the_field() -> None:
    assert list(field_changes(field("Text"), field("Text") | {"optional": True})) == ["optional no -> yes"]
