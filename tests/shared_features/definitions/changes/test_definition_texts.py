"""A stored text says all that a definition means, whether or not it writes the defaults down."""

import json

from shared_features.definitions import Field, Integer
from shared_features.definitions.changes.definition_texts import (
    definition_class,
    definition_text,
    read_definition,
    read_source,
    source_text,
)
from tests.shared_features.definitions.orders import SOURCE, group

GROUP = group()


def test_a_text_leaves_defaults_out_and_reading_it_puts_them_back() -> None:
    stored = json.loads(definition_text(GROUP))
    assert "where" not in stored
    assert read_definition(definition_text(GROUP))["where"] == []


def test_what_a_text_writes_down_wins_over_the_default() -> None:
    stored = json.loads(definition_text(GROUP)) | {"shards": 8}
    assert read_definition(json.dumps(stored))["shards"] == 8


def test_defaults_are_put_back_at_every_depth() -> None:
    (_, source), *_ = read_definition(definition_text(GROUP))["sources"]
    fields = {each["name"]: each for _, each in source["fields"]}
    assert fields["price"]["optional"] is False
    assert read_source(source_text(SOURCE)) == source


def test_a_table_stores_what_else_its_rows_mean() -> None:
    assert read_definition(definition_text(GROUP, lateness_us=1))["lateness_us"] == 1


def test_a_class_of_another_release_is_unknown_and_its_options_are_kept() -> None:
    assert definition_class("Integer") is Integer
    assert definition_class("Field") is Field
    assert definition_class("Hyperloglog") is None
    stored = json.loads(definition_text(GROUP)) | {"labels": ["Hyperloglog", {"precision": 14}]}
    assert read_definition(json.dumps(stored))["labels"] == ["Hyperloglog", {"precision": 14}]
