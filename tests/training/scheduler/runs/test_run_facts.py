"""Two runs are compared by every fact of either, slices and features among them."""

from __future__ import annotations

from tests.training.runs.records.test_run_slices import slices
from training.facts import Facts, compared_lines
from training.runs.records.run_report import RunReport
from training.runs.records.run_slices import fewer_slices
from training.scheduler.runs.run import Run
from training.scheduler.runs.run_facts import compared, facts_of

RUN = Run("a", "succeeded", "retrain", {}, "2026-11-29T03:00:00+00:00", "f", "")
FOUND = slices(food=(120, 0.5), toys=(80, 0.25))


def facts(report: RunReport, **summary: object) -> Facts:
    return facts_of(RUN, summary, report)


def test_slices_are_compared_one_by_one_with_the_worst_of_each_run() -> None:
    second = slices(food=(100, 0.375), toys=(80, 0.5), books=(60, 0.625))
    rows = compared(facts(RunReport(slices=FOUND)), facts(RunReport(slices=second)))
    found = {(row.section, row.name): (row.first, row.second, row.difference) for row in rows if not row.same}
    assert found == {
        ("slices", "category food, f1"): (0.5, 0.375, -0.125),
        ("slices", "category toys, f1"): (0.25, 0.5, 0.25),
        ("slices", "category books, f1"): (None, 0.625, None),
        ("slices", "category, worst"): ("toys", "food", None),
        ("rows of slices", "category food"): (120, 100, -20),
        ("rows of slices", "category books"): (None, 60, None),
    }
    assert "category toys, f1   0.25  0.5    +0.25" in list(compared_lines(rows))


def test_a_run_whose_folder_is_gone_keeps_its_slices() -> None:
    assert facts(RunReport(), slices=fewer_slices(FOUND))["slices"] == facts(RunReport(slices=FOUND))["slices"]


def test_features_that_only_one_run_has_are_named_where_those_of_both_are_known() -> None:
    first, second = RunReport(features={"amount": 0.0, "age": 0.5}), RunReport(features={"amount": 0.0, "mean": 0.25})
    rows = compared(facts(first), facts(second))
    assert [(row.name, row.first, row.second) for row in rows if row.section == "features that only one has"] == [
        ("age", True, None),
        ("mean", None, True),
    ]
    rows = compared(facts(first), facts(RunReport()))
    assert not [row for row in rows if row.section == "features that only one has"]
