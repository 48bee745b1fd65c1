"""A group that contradicts itself says so when it is imported. Its fingerprint follows what it means."""

from collections.abc import Callable
from typing import Any

import pytest

from shared_features import Aggregate, Condition, DefinitionError, Entity, Mean, days
from tests.shared_features.definitions.orders import SOURCE, group

CONTRADICTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "unknown key": (lambda: group(entity=Entity("e", ("nope",))), "no field 'nope'"),
    "optional key": (lambda: group(entity=Entity("e", ("maybe",))), "make it required"),
    "condition of another type": (lambda: group(where=(Condition("price", ">", "much"),)), "another type"),
    "condition above": (
        lambda: group(where=(Condition("price", ">", 100),)),
        "no event meets the condition price > 100",
    ),
    "condition below": (lambda: group(where=(Condition("price", "<", 0),)), "Number with 2 decimals, 0 to 100 in 'ord"),
    "condition beside": (lambda: group(where=(Condition("price", "==", 100.5),)), "Write a number within its bounds"),
    "one source twice": (lambda: group(sources=(SOURCE, SOURCE)), "source 'orders' stands twice in sources; drop one"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_what_to_do(name: str) -> None:
    build, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        build()


@pytest.mark.parametrize(("operator", "value"), [(">", 99.99), (">=", 100), ("<", 0.01), ("<=", 0), ("!=", 500)])
def test_a_condition_at_the_bounds_of_its_field_is_accepted(operator: Any, value: float) -> None:
    assert group(where=(Condition("price", operator, value),)).where[0].value == value


def test_a_fingerprint_follows_meaning() -> None:
    assert group().fingerprint == group().fingerprint
    assert group().fingerprint != group(where=(Condition("price", ">", 1),)).fingerprint
    assert group().fingerprint != group(aggregates=(Aggregate("price", Mean(), (days(2),)),)).fingerprint
