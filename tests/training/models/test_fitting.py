"""What a label cannot have is refused when a definition is read, with what to write."""

from __future__ import annotations

from typing import Any

import pytest

from shared_features.errors import DefinitionError
from tests.domains import machines, parcels, sensors
from training.definitions import Model
from training.models.fitting import Fitting


@pytest.mark.parametrize(
    ("view", "options", "says"),
    [
        (machines.BREAKDOWN, {"calibrate": "isotone"}, "calibrate is 'isotone'"),
        (
            sensors.WEATHER,
            {"calibrate": "platt"},
            "calibrate is 'platt', and the label is a number; leave it out, it is of",
        ),
        (parcels.OUTCOME, {"keep_negatives": 0.5}, "keep_negatives is given, and the label asks for multiclass"),
        (machines.BREAKDOWN, {"keep_negatives": 0}, "keep_negatives is 0; give a share of the rows, more than 0"),
        (machines.BREAKDOWN, {"class_weights": {"yes": 3}}, r"names 'yes', and the label has the classes False, True"),
        (machines.BREAKDOWN, {"class_weights": {"True": 3}}, r"; write True, without quotes"),
        (machines.BREAKDOWN, {"class_weights": {"false": 3}}, r"; write False, without quotes"),
        (parcels.ARRIVED_LATE, {"class_weights": {"yess": 3}}, "has the classes 'no', 'yes'; .* Did you mean 'yes'"),
        (
            parcels.STARS,
            {"class_weights": {9: 3}},
            r"names 9, and the label is a whole number from 1 to 5; write a class that the label can have",
        ),
        (parcels.STARS, {"class_weights": {"5": 3}}, r"names '5', and the label is a whole number from 1 to 5"),
        (parcels.ARRIVED_LATE, {"class_weights": {"yes": 0}}, r"class_weights\['yes'\] is 0; give more than 0"),
        (parcels.ARRIVED_LATE, {"class_weights": {"yes": "much"}}, r"class_weights\['yes'\] is 'much'"),
    ],
)
def test_what_does_not_fit_the_label_is_refused(view: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        Model("m", view, **options)


def test_weights_are_those_of_the_classes_in_their_order_and_1_is_the_usual_one() -> None:
    assert Fitting(class_weights={"c": 2, "a": 0.5}).weights(("a", "b", "c")) == (0.5, 1.0, 2.0)
    assert Fitting(class_weights={True: 3}).weights(()) == (1.0, 3.0)
    assert Fitting().weights(("a", "b")) == ()
    assert Model("m", parcels.ARRIVED_LATE, class_weights={"yes": 3}).fitting == Fitting(class_weights={"yes": 3})
    assert Model("m", parcels.STARS, class_weights={5: 2.5}).fitting.plain["class_weights"] == {"5": 2.5}
