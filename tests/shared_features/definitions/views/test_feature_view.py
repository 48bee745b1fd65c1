"""A view that contradicts itself says so when it is imported."""

from collections.abc import Callable
from typing import Any

import pytest

from shared_features import DefinitionError, EventSource
from tests.shared_features.definitions.orders import FIELDS, group, view


def shouted(price: Any, nobody: Any) -> Any:
    return price


CONTRADICTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "key not on the spine": (
        lambda: view(source=EventSource("o", "o", FIELDS[:2], event_id="id", event_time="at"), features=(group(),)),
        "lacks",
    ),
    "unknown input": (lambda: view(features=(group(), shouted)), "'nobody' of 'shouted'"),
    "feature twice": (lambda: view(features=(group(), group()["price_mean_1d"])), "appear twice"),
    "two versions": (lambda: view(features=(group(), group(version=2))), "two versions"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_what_to_do(name: str) -> None:
    build, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        build()
