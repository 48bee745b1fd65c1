"""A field or a source of events that contradicts itself says so when it is imported, and says what to do."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared_features import Decimal, DefinitionError, Field, Integer
from shared_features.definitions.sources.event_source import RESERVED_FIELDS
from shared_features.formats.offline_tables import EVENT_COLUMNS
from tests.shared_features.definitions.orders import FIELDS, SOURCE

CONTRADICTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "bounds too wide": (lambda: Field("x", Decimal(9, 0, 1e9)), "narrow the bounds"),
    "bounds swapped": (lambda: Field("x", Integer(3, 2)), "swap them"),
    "no identifier": (
        lambda: Field("http.method", Integer()),
        "rename it, as in 'http_method': `produce` then finds the column",
    ),
    "no identifier, and none by underscores": (
        lambda: Field("2nd-class", Integer()),
        "rename it, as in 'field_2nd_class', and send it with --map field_2nd_class=2nd-class",
    ),
    "event id missing": (lambda: replace(SOURCE, event_id="nope"), "'nope' is not among its fields"),
    "event time optional": (lambda: replace(SOURCE, event_id="maybe"), "is optional"),
    "event time no timestamp": (lambda: replace(SOURCE, event_time="who"), "not a Timestamp"),
    "field twice": (lambda: replace(SOURCE, fields=(*FIELDS, FIELDS[0])), "declared twice"),
    "field twice but for its case": (
        lambda: replace(SOURCE, fields=(*FIELDS, Field("AT", Integer()))),
        "declared twice",
    ),
    "field of every table": (
        lambda: replace(SOURCE, fields=(*FIELDS, Field("Kafka_Offset", Integer()))),
        "columns of every events table",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_what_to_do(name: str) -> None:
    build, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        build()


def test_reserved_fields_are_those_of_the_events_table() -> None:
    assert RESERVED_FIELDS == EVENT_COLUMNS
