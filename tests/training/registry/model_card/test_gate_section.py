"""The part of a card that says why a version was promoted or held back: what failed first, and every figure."""

from __future__ import annotations

from typing import Any

from shared_features.formats.registry_log import RegistryChange
from training.registry.model_card.document_text import html_section, markdown_section
from training.registry.model_card.gate_section import gate_section

KEPT: dict[str, Any] = {
    "model": "m",
    "version": 3,
    "champion_before": 2,
    "promoted": False,
    "reasons": ["PSI 0.4000 (asked: PSI <= 0.2)", "warning: one row 90.0 us"],
    "checks": [
        {"asked": "roc_auc >= 0.5", "found": "roc_auc 0.8", "passed": True, "warns": False},
        {"asked": "one row <= 2 times", "found": "90.0 us", "passed": False, "warns": True},
        {"asked": "PSI <= 0.2", "found": "PSI 0.4000", "passed": False, "warns": False},
    ],
    "comparison": {
        "metric": "roc_auc", "ours": 0.8, "theirs": 0.75, "difference": 0.05, "low": -0.01, "high": 0.11,
        "better_share": 0.9, "rows": 70, "entities": 9, "equal_share": 0.0, "verdict": "equal",
    },
    "stability": {"rows": 1070, "psi": 0.4, "rank_correlation": None, "changed": 0.02, "mean_change": 0.1},
    "costs": {
        "ours": {"graph_bytes": 2000, "row_us": 90.0, "batch_us": 400.0},
        "champion": {"graph_bytes": 1000, "row_us": 40.0, "batch_us": 300.0},
    },
    "asked_at": "2026-11-29T03:00:00Z",
    "asked_by": "training run x",
}  # fmt: skip
CHANGES = [
    RegistryChange(0, "ada", "gate", "m", 3, "stays a challenger"),
    RegistryChange(60_000_000, "bob", "promote", "m", 3, "by hand", "champion", 2),
]


def test_what_failed_comes_first_and_every_figure_is_there() -> None:
    text = markdown_section(gate_section(3, KEPT, aliases=["champion"], changes=CHANGES))
    assert text.startswith(
        "## The gate\n\nVersion 3 stays a challenger, version 2 was champion: PSI 0.4000 (asked: PSI &lt;= 0.2); "
    )
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.partition("| verdict |")[2].splitlines()[2:5]]
    assert rows == ["FAIL", "warning", "pass"]
    for row in (
        *("| aliases | champion |", "| asked at | 2026-11-29T03:00:00Z |", "| asked by | training run x |"),
        *("| PSI | 0.4 |", "| other decisions, share of rows | 0.02 |", "| mean change | 0.1 |", "| rows | 1,070 |"),
        *("| roc_auc of this version | 0.8 |", "| roc_auc of the champion | 0.75 |", "| difference | 0.05 |"),
        *("| interval of the difference | -0.01 to 0.11 |", "| entities | 9 |"),
        *("| graph | this version | the champion |", "| bytes | 2,000 | 1,000 |", "| one row, us | 90 | 40 |"),
        "| 1970-01-01T00:01:00Z | bob | promote champion 2 -> 3 | by hand |",
    ):
        assert f"{row}\n" in text, row
    assert "rank correlation" not in text, "what has no value is left out"
    page = html_section(gate_section(3, KEPT, changes=CHANGES))
    assert "<td>FAIL</td><td>PSI &lt;= 0.2</td><td>PSI 0.4000</td>" in page


def test_the_first_version_has_nothing_beside_it() -> None:
    kept = {**KEPT, "champion_before": None, "comparison": None, "stability": None}
    kept["costs"] = {**KEPT["costs"], "champion": None}
    text = markdown_section(gate_section(1, kept))
    assert "Version 1 stays a challenger, there was no champion: " in text
    assert "| graph | this version |\n" in text
    assert "the champion |" not in text
    assert "| aliases | none |\n" in text
    assert "| PSI |" not in text


def test_a_metric_without_an_interval_and_a_verdict_without_figures_can_be_read() -> None:
    unknown = dict.fromkeys(("difference", "low", "high", "better_share"))
    text = markdown_section(gate_section(3, {**KEPT, "comparison": {**KEPT["comparison"], **unknown}}))
    assert "| roc_auc of this version | 0.8 |" in text
    assert "interval of the difference" not in text
    bare = {name: each for name, each in KEPT.items() if name not in ("comparison", "stability", "costs")}
    assert "| FAIL | PSI &lt;= 0.2 |" in markdown_section(gate_section(3, {**bare, "reasons": ["no metrics."]}))


def test_what_is_not_kept_or_cannot_be_trusted_is_said() -> None:
    assert "Of version 3 there is no verdict: none is kept" in markdown_section(gate_section(3, None))
    text = markdown_section(gate_section(3, None, ["The verdict was changed."], changes=CHANGES))
    assert "The verdict was changed." in text
    assert "none is kept" not in text
    assert "| gate | stays a challenger |" in text, "the log still says what was decided"
