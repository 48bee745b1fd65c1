import math

import pytest

from training.registry.gate import decide

GOOD = {"roc_auc": 0.9, "average_precision": 0.6}


def test_the_first_is_promoted():
    assert decide(GOOD, None).promote


@pytest.mark.parametrize(("theirs", "promoted"), [(0.5, True), (0.6, True), (0.609, True), (0.62, False)])
def test_a_challenger_may_lack_no_more_than_the_tolerance(theirs, promoted):
    decision = decide(GOOD, {"average_precision": theirs})
    assert decision.promote is promoted
    assert "0.6000 against the champion's" in decision.reasons[-1]


@pytest.mark.parametrize("auc", [0.4, math.nan])
def test_a_floor_holds_for_the_first_too(auc):
    decision = decide({**GOOD, "roc_auc": auc}, None)
    assert not decision.promote
    assert "below its floor" in decision.reasons[0]


@pytest.mark.parametrize(("theirs", "promoted"), [(2.5, True), (2.0, True), (1.99, True), (1.9, False)])
def test_of_an_error_less_is_better_and_the_tolerance_is_a_part_of_it(theirs, promoted):
    ours = {"rmse": 2.0, "r2": 0.4}
    assert decide(ours, {"rmse": theirs}, {"r2": 0.0}, compared="rmse").promote is promoted


def test_a_limit_of_an_error_holds_and_a_metric_without_a_value_reaches_no_floor():
    limits = {"r2": 0.0, "rmse": 1.5}
    decision = decide({"rmse": 2.0, "r2": None}, None, limits, compared="rmse")
    assert decision.reasons == ("r2 has no value, and its floor is 0", "rmse 2.0000 is above its limit 1.5")
    assert decide({"rmse": 1.0, "r2": 0.2}, None, limits, compared="rmse").reasons[0] == (
        "floors reached (r2 >= 0, rmse <= 1.5)"
    )
