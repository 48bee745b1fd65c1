"""The slices of two runs as tables: what differs, how many rows, which is the worst of each, and no HTML of a user."""

from __future__ import annotations

import re

from tests.training.runs.records.test_run_slices import slices
from training.service.page.slice_tables import slice_tables

WORST = '<span class="state worst">worst</span>'


def rows(drawn: str) -> list[list[str]]:
    """The cells of each row, without those of the head."""
    return [re.findall(r'<div class="cell">(.*?)</div>', row) for row in drawn.split("<tr>")[2:]]


def test_each_slice_is_a_row_and_the_worst_of_each_run_is_marked() -> None:
    drawn = slice_tables(
        slices(food=(120, 0.5), toys=(80, 0.25), missing=(1, None)), slices(food=(100, 0.375), toys=(80, 0.5), b=(9, 1))
    )
    assert "<h3>category, by f1</h3>" in drawn
    assert rows(drawn) == [
        ["b", "none / 9", "<mark>none</mark>", "1", ""],
        ["food", "120 / 100", "0.5", f"0.375 {WORST}", "-0.125"],
        ["toys", "80", f"0.25 {WORST}", "0.5", "+0.25"],
        ["missing", "1 / none", "no value", "<mark>none</mark>", ""],
    ]


def test_slices_by_another_metric_and_of_another_feature_are_tables_of_their_own() -> None:
    first = slices(food=(120, 0.5))
    other = {"category": {**first["category"], "metric": "auc", "slices": {"<b>": {"rows": 7, "auc": 0.5}}}}
    drawn = slice_tables(first, other)
    assert "<h3>category, by f1</h3>" in drawn
    assert "<h3>category, by auc</h3>" in drawn
    assert "<b>" not in drawn
    assert slice_tables({}, {}) == ""
