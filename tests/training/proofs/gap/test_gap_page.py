from __future__ import annotations

import re

import pytest

from training.proofs.gap.feature_gap import CauseGap, FeatureGap
from training.proofs.gap.gap_page import write_gap_page
from training.proofs.gap.gap_report import GapReport
from training.proofs.gap.served_stages import CAUSES


def gap(name: str, *rows: int) -> FeatureGap:
    """Of 100 rows; so many differ for each cause."""
    causes = {cause: CauseGap(count) for cause, count in zip(CAUSES, rows, strict=True)}
    return FeatureGap(name, 100, 1.0, CauseGap(sum(rows)), causes)


def test_the_parts_of_a_bar_are_as_long_as_the_shares_of_the_causes() -> None:
    report = GapReport(
        "orders:v1", 100, (gap("few", 0, 5, 0, 5), gap("same", 0, 0, 0, 0), gap("<many>", 10, 20, 10, 0))
    )
    page = write_gap_page(report)
    titles = re.findall(r'width="([0-9.]+)" height="12" fill="[^"]+"><title>([^<]+)</title>', page)
    wide = {said: float(width) for width, said in titles}
    assert next(iter(wide)) == f"&lt;many&gt;, {CAUSES[0]}: 10.0% of the rows", "the one with most rows comes first"
    assert sum(wide.values()) == pytest.approx(400 * (40 + 10) / 40)
    assert wide[f"few, {CAUSES[3]}: 5.0% of the rows"] == pytest.approx(400 * 5 / 40)
    assert "100 rows, as served against what had happened. 1 feature of 3 never differ." in page
    assert "same" not in page


def test_a_view_without_a_gap_has_a_page_without_a_plot() -> None:
    page = write_gap_page(GapReport("orders:v1", 100, (gap("same", 0, 0, 0, 0),)))
    assert "<svg" not in page
    assert "1 feature of 1 never differ" in page
