"""Tables that a person reads on a screen."""

from __future__ import annotations

from training.facts import table_lines

LONG = "average_precision as good as the champion's, tolerance 0.01"


def test_every_column_begins_at_one_place_also_behind_a_cell_that_is_too_wide() -> None:
    """What a gate asks is often longer than a column may be, and its finding stood anywhere."""
    rows = [
        ("asked", "found", "verdict"),
        (LONG, LONG, "pass"),
        ("roc_auc >= 0.5", "roc_auc 0.9", "pass"),
        ("", "", ""),
    ]
    title, *lines = table_lines("the gate", rows)
    assert title == "== the gate"
    assert lines == [
        f"{'asked':48}  {'found':48}  verdict",
        LONG,
        f"{'':48}  {LONG}",
        f"{'':48}  {'':48}  pass",
        f"{'roc_auc >= 0.5':48}  {'roc_auc 0.9':48}  pass",
        "",
    ]


def test_a_table_without_a_wide_cell_has_a_line_for_each_row() -> None:
    rows = [("a", "b"), ("four", LONG)]
    assert list(table_lines("t", rows)) == ["== t", "a     b", f"four  {LONG}"]
    assert list(table_lines("t", [])) == []
