from __future__ import annotations

from dataclasses import replace

import pytest

from shared_features.formats.model_manifest import GraphCost
from training.definitions import GateLimits
from training.models.comparison.score_stability import ScoreStability
from training.registry.gate.beside_champion import cost_checks, stability_checks
from training.registry.gate.decision import decide

STABLE = ScoreStability(rows=1_500, psi=0.02, rank_correlation=0.97, changed=0.03, mean_change=0.01)
COST = GraphCost(graph_bytes=40_000, row_us=10.0, batch_us=60.0)
GOOD = {"roc_auc": 0.9, "average_precision": 0.6}


def found(checks):
    return [(each.asked, each.found, each.passed, each.warns) for each in checks]


def test_scores_near_the_champions_pass_and_the_verdict_says_by_how_much() -> None:
    assert found(stability_checks(STABLE, GateLimits())) == [
        ("PSI of scores against the champion's <= 0.25", "PSI 0.0200", True, True),
        ("rank correlation with the champion's scores >= 0.8", "rank correlation 0.9700", True, True),
        ("decisions other than the champion's <= 0.1 of rows", "0.0300 of 1,500 rows", True, True),
    ]


@pytest.mark.parametrize(
    ("changes", "limits"),
    [
        ({"psi": 0.3}, GateLimits(psi=0.25)),
        ({"rank_correlation": 0.5}, GateLimits(rank_correlation=0.8)),
        ({"changed": 0.2}, GateLimits(changed=0.1)),
    ],
)
def test_scores_far_from_the_champions_warn_and_are_refused_where_the_model_sets_the_limit(changes, limits) -> None:
    far = replace(STABLE, **changes)
    warned = decide(GOOD, None, further=list(stability_checks(far, GateLimits())))
    refused = decide(GOOD, None, further=list(stability_checks(far, limits)))
    assert (warned.promote, refused.promote) == (True, False)
    assert warned.reasons[-1].startswith("warning: ")
    assert "(asked: " in refused.reasons[0]
    assert sum(each.missed for each in refused.checks) == 1


def test_what_cannot_be_told_of_the_scores_passes_in_words_where_it_is_asked_for() -> None:
    unknown = replace(STABLE, rank_correlation=None, changed=None)
    assert len(list(stability_checks(unknown, GateLimits()))) == 1
    checks = list(stability_checks(unknown, GateLimits(rank_correlation=0.9, changed=0.05)))
    assert all(each.passed for each in checks)
    assert "it has no threshold" in checks[-1].found


def test_limits_of_bytes_and_times_need_no_champion() -> None:
    limits = GateLimits(graph_bytes=30_000, row_us=10, batch_us=59.5)
    assert found(cost_checks(COST, None, limits)) == [
        ("model.onnx <= 30,000 bytes", "40,000 bytes", False, False),
        ("one row <= 10 us", "10.0 us", True, False),
        ("100 rows <= 59.5 us", "60.0 us", False, False),
    ]
    assert list(cost_checks(COST, None, GateLimits())) == []


def test_a_graph_that_is_larger_and_slower_than_the_champions_warns_or_is_refused() -> None:
    small = GraphCost(graph_bytes=19_000, row_us=9.0, batch_us=25.0)
    usual, strict = (list(cost_checks(COST, small, each)) for each in (GateLimits(), GateLimits(time_ratio=2)))
    assert [each.passed for each in usual] == [each.passed for each in strict] == [False, True, False]
    assert [each.missed for each in usual] == [False] * 3
    assert [each.missed for each in strict] == [False, False, True]
    assert usual[0].found == "40,000 bytes, the champion's 19,000"
    assert strict[2].asked == "100 rows <= 2 times the champion's"
