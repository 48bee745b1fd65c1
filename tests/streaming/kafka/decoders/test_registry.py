"""A format goes by its name, and a name that says nothing is refused with what to write."""

from dataclasses import replace

import pytest

from shared_features.errors import DefinitionError
from streaming.kafka.decoders.json_format import JSON
from streaming.kafka.decoders.messagepack_format import MESSAGEPACK
from streaming.kafka.decoders.nested_json_format import NESTED_JSON
from streaming.kafka.decoders.registry import event_format, formats_of
from tests.streaming.other_formats.csv_domain import CSV, OUTCOMES, PAYMENTS


def test_a_name_is_one_of_ours_or_an_attribute_of_a_module() -> None:
    assert event_format("json") is JSON
    assert event_format(PAYMENTS.format) is CSV


def test_records_may_be_of_any_format_that_we_or_the_sources_know() -> None:
    assert formats_of([PAYMENTS, OUTCOMES]) == [CSV, JSON, NESTED_JSON, MESSAGEPACK]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("avro", "'avro' cannot be imported"),
        ("no.such.module:FORMAT", "'no.such.module:FORMAT' cannot be imported: No module named 'no'"),
        ("tests.streaming.other_formats.csv_domain:NAMES", "is a tuple, not an EventFormat"),
    ],
)
def test_a_format_that_is_none_is_refused(name: str, said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        event_format(name)
    assert said in str(caught.value)
    assert "Give one of json, nested_json, messagepack, or MODULE:ATTRIBUTE" in str(caught.value)


def test_a_source_is_not_defined_with_what_can_be_no_name() -> None:
    with pytest.raises(DefinitionError, match="MODULE:ATTRIBUTE"):
        replace(PAYMENTS, format="application/json")
