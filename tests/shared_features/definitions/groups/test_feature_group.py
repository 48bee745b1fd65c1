"""A group that contradicts itself says so when it is imported. Its fingerprint follows what it means."""

from collections.abc import Callable

import pytest

from shared_features import Aggregate, Condition, DefinitionError, Entity, Mean, days
from tests.shared_features.definitions.orders import group

CONTRADICTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "unknown key": (lambda: group(entity=Entity("e", ("nope",))), "no field 'nope'"),
    "optional key": (lambda: group(entity=Entity("e", ("maybe",))), "make it required"),
    "condition of another type": (lambda: group(where=(Condition("price", ">", "much"),)), "another type"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_what_to_do(name: str) -> None:
    build, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        build()


def test_a_fingerprint_follows_meaning() -> None:
    assert group().fingerprint == group().fingerprint
    assert group().fingerprint != group(where=(Condition("price", ">", 1),)).fingerprint
    assert group().fingerprint != group(aggregates=(Aggregate("price", Mean(), (days(2),)),)).fingerprint
