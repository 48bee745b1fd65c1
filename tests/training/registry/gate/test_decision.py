import math

import pytest

from training.models.comparison.paired_bootstrap import Comparison
from training.registry.gate.decision import decide

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


def test_what_cannot_be_compared_is_not_promoted_and_says_what_to_do():
    """A champion that was never measured by the metric let everything pass whose floors were reached."""
    name = "precision_at_50_per_day"
    decision = decide({**GOOD, name: 0.4}, GOOD, compared=name)
    assert not decision.promote
    assert decision.reasons[-1] == (
        f"the champion was never measured by {name}, so nothing says which of the two is better: look at both, and "
        "promote this one by hand if it is, by `python -m training promote`"
    )
    assert decide({**GOOD, name: 0.4}, {**GOOD, name: 0.4}, compared=name).promote


@pytest.mark.parametrize("champion", [None, {**GOOD, "precision_at_50_per_day": 0.4}])
@pytest.mark.parametrize("challenger", [GOOD, {**GOOD, "precision_at_50_per_day": None}])
def test_without_a_value_of_the_metric_that_is_asked_for_nothing_is_promoted(challenger, champion):
    decision = decide(challenger, champion, compared="precision_at_50_per_day")
    assert not decision.promote
    assert "precision_at_50_per_day has no value in the test window" in decision.reasons[-1]
    floor = {"precision_at_20_per_day": 0.1}
    assert "precision_at_20_per_day has no value, and its floor is 0.1" in decide(challenger, None, floor).reasons


@pytest.mark.parametrize(("rule", "promoted"), [("within_tolerance", True), ("not_worse", False), ("better", False)])
def test_a_champion_that_was_measured_on_other_rows_is_not_beaten_with_confidence(rule, promoted):
    """`better` let a version pass whose metric was below that of a champion of another view."""
    theirs = {"average_precision": 0.605}
    decision = decide(GOOD, theirs, basis="on its own test window", promotion=rule)
    assert decision.promote is promoted
    assert "on its own test window, tolerance 0.01; on other rows, there is no confidence" in decision.reasons[-1]


def compared(low, high):
    return Comparison("average_precision", 0.6, 0.605, -0.005, low, high, 0.4, 900, 300)


@pytest.mark.parametrize(
    ("low", "high", "rule", "promoted"),
    [
        (-0.02, 0.01, "within_tolerance", True),
        (-0.02, -0.001, "within_tolerance", True),
        (-0.02, 0.01, "not_worse", True),
        (-0.02, -0.001, "not_worse", False),
        (-0.02, 0.01, "better", False),
        (0.001, 0.01, "better", True),
    ],
)
def test_what_a_challenger_needs_beside_the_champion_is_the_models_to_say(low, high, rule, promoted):
    theirs = {"average_precision": 0.605}
    decision = decide(GOOD, theirs, comparison=compared(low, high), promotion=rule)
    assert decision.promote is promoted
    assert "with 95% confidence, the difference is from" in decision.reasons[-1]
    assert [each.passed for each in decision.checks] == [True, promoted]


def test_slices_that_lie_too_far_apart_are_a_reason_of_their_own():
    found = {"metric": "roc_auc", "worst": "shoes", "best": "books", "gap": 0.31,
             "slices": {"shoes": {"roc_auc": 0.61}, "books": {"roc_auc": 0.92}}}  # fmt: skip
    assert decide(GOOD, None, slices={"category": found}).promote
    assert decide(GOOD, None, slices={"category": found}, slice_gap=0.4).promote
    refused = decide(GOOD, None, slices={"category": found}, slice_gap=0.2)
    assert refused.reasons == ("roc_auc across category is 0.3100 apart: shoes 0.6100, books 0.9200",)
    assert [(each.asked, each.passed) for each in refused.checks] == [
        ("roc_auc >= 0.5", True),
        ("roc_auc across category <= 0.2 apart", False),
        ("average_precision as good as the champion's, tolerance 0.01", True),
    ]
    assert decide(GOOD, None, slices={"category": {**found, "gap": None}}, slice_gap=0.2).promote
