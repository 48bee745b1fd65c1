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
