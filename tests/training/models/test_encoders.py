"""An encoder that makes no sense is refused when a definition is read, with what to write."""

from __future__ import annotations

from typing import Any

import pytest

from shared_features.errors import DefinitionError
from tests.domains.visits import COMES_AGAIN
from training.definitions import Binned, Model, OneHot, Ordinal, TargetMean, Winsorized
from training.models.encoders import Encoder, order_doubts


@pytest.mark.parametrize(
    ("encoders", "says"),
    [
        ({"wart": OneHot()}, "encoders names 'wart', which view comes_again:v1 does not have; .* mean 'ward'"),
        ({"ward": Winsorized()}, r"Winsorized\(low=0.01, high=0.99\), and ward is a category; write OneHot"),
        ({"hours": TargetMean()}, r"hours is a number; write Winsorized\(...\) or Binned"),
        ({"ward": "one_hot"}, r"encoders\['ward'\] is 'one_hot', and ward is a category; write OneHot"),
        (
            {"floor": Ordinal(order=("3", "2"))},
            r"encoders\['floor'\]: Ordinal\(order=...\) names '3', which is not a whole",
        ),
        ({"ward": Ordinal(order=("surgery", 7))}, "names 7, which is not a text"),
        ({"urgent": Ordinal(order=("no", "yes"))}, "names 'no', which is not true or false"),
        ({"patient_visits__ward_last_7d": Ordinal(order=(1,))}, "names 1, which is not a text"),
        ({"ward": OneHot}, "is the class OneHot, and ward is a category"),
        (TargetMean(), "encoders is TargetMean"),
    ],
)
def test_an_encoder_that_does_not_fit_its_feature_is_refused(encoders: Any, says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        Model("again", COMES_AGAIN, encoders=encoders)


@pytest.mark.parametrize(
    ("order", "seen", "says"),
    [
        (("low", "hihg"), ("high", "low"), ["leaves out 'high' of the train window, which count as missing, and names "
         "'hihg', no value of the category in the train window. Did you mean 'high'?"]),
        (("low",), ("high", "low"), ["leaves out 'high' of the train window, which count as missing."]),
        (("low", "high"), ("low",), ["names 'high', no value of the category in the train window."]),
        ((3, 2), (2, 3), []),
        ((True, False), (False, True), []),
        ((), ("high",), []),
        (("low",), (), []),
        ((1,), tuple(range(1, 9)),
         ["leaves out 2, 3, 4, 5, 6 and 2 more of the train window, which count as missing."]),
    ],
)  # fmt: skip
def test_an_order_that_differs_from_the_train_window_is_told(order: Any, seen: Any, says: list[str]) -> None:
    """A misspelt value is of the right type: its rows counted as missing, and nothing said so."""
    encoders: dict[str, Encoder] = {"ward": Ordinal(order=order), "floor": OneHot()}
    found = list(order_doubts(encoders, {"ward": seen, "floor": (1,)}))
    assert found == [f"The order of ward {each}" for each in says]


@pytest.mark.parametrize(
    ("encoder", "options", "says"),
    [
        (Ordinal, {"order": ("a", "b", "a")}, "names 'a' twice; drop one"),
        (Ordinal, {"order": 7}, "order is 7"),
        (TargetMean, {"smoothing": -1}, "is -1; give 0 or more rows"),
        (TargetMean, {"folds": 1}, "is 1; give 2 or more"),
        (Winsorized, {"low": 0.5, "high": 0.5}, "has no range; give shares from 0 to 1, low first"),
        (Winsorized, {"high": 2}, "has no range"),
        (Binned, {"bins": 1}, "is 1; give 2 to 1000"),
        (Binned, {"bin": 4}, "there is no option 'bin'. Did you mean 'bins'"),
    ],
)
def test_an_encoder_without_a_meaning_is_refused(encoder: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        encoder(**options)
