"""The schema of an answer says what the label of its view says: a score, a value, or a class under its own name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from serving.endpoints.openapi import openapi_document
from shared_features import Count, LaterEvents, Sum, hours
from shared_features.definitions import Condition, FeatureView
from tests.domains.parcels import ARRIVED_LATE, MARKED, OUTCOME, STARS
from tests.domains.sensors import WEATHER
from tests.serving.endpoints.test_openapi import without_description


def prediction(view: FeatureView) -> tuple[dict[str, Any], dict[str, Any]]:
    """The properties of the prediction of a view, and all schemas."""
    document = openapi_document([view], 256)
    assert not list(without_description(document, "$"))
    schemas = document["components"]["schemas"]
    found = schemas[f"{view.name}_prediction"]
    outcomes = {"score", "value", "class", "probabilities"} & found["properties"].keys()
    assert outcomes <= set(found["required"]), "what a model gives is always there"
    return {name: found["properties"][name] for name in outcomes}, schemas


@pytest.mark.parametrize(
    ("view", "outcomes"),
    [
        (OUTCOME, {"class", "probabilities"}),
        (STARS, {"class", "probabilities"}),
        (MARKED, {"class", "probabilities"}),
        (ARRIVED_LATE, {"score"}),
        (WEATHER, {"value"}),
    ],
)
def test_a_prediction_has_what_its_label_says_and_nothing_else(view: FeatureView, outcomes: set[str]) -> None:
    assert prediction(view)[0].keys() == outcomes


def test_classes_that_are_named_stand_in_the_document() -> None:
    found, schemas = prediction(MARKED)
    assert sorted(found["class"]["enum"]) == [1, 4, 5]
    assert list(schemas["marked_probabilities"]["properties"]) == ["5", "4", "1"]
    assert schemas["marked_probabilities"]["required"] == ["5", "4", "1"]


def test_classes_that_training_finds_are_of_the_type_of_the_label() -> None:
    texts, _ = prediction(OUTCOME)
    numbers, _ = prediction(STARS)
    assert (texts["class"]["type"], numbers["class"]["type"]) == ("string", "integer")
    assert "What became of the parcel" in texts["class"]["description"]
    assert numbers["probabilities"]["additionalProperties"] == {"type": "number"}


def test_a_score_says_of_which_condition_it_is_the_probability() -> None:
    assert OUTCOME.predicted is not None
    labels = replace(OUTCOME.predicted, value=Condition("outcome", "==", "lost"), classes=())
    found, _ = prediction(replace(OUTCOME, labels=labels))
    assert found.keys() == {"score"}
    assert "that outcome == 'lost' is true" in found["score"]["description"]


def test_what_is_computed_from_later_events_is_said() -> None:
    assert WEATHER.predicted is not None
    name = WEATHER.predicted.column
    later = replace(WEATHER.predicted, value=LaterEvents(name, Sum(), hours(1)), delay=hours(2))
    found, _ = prediction(replace(WEATHER, labels=later))
    assert f"sum of {name} in the next 1 h (label of view {WEATHER.name})" in found["value"]["description"]
    none = replace(later, value=LaterEvents(None, Count(), hours(1), "==", 0))
    found, _ = prediction(replace(WEATHER, labels=none))
    assert "that count of events in the next 1 h == 0 is true" in found["score"]["description"]


def test_a_score_says_of_which_text_it_is_the_probability() -> None:
    assert "that late is 'yes'" in prediction(ARRIVED_LATE)[0]["score"]["description"]
