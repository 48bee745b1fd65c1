"""What is not met stops a run or warns, and only what may be kept without rows is without rows."""

from __future__ import annotations

import pytest

from training.datasets.expectations.outcome import FailingRow, Outcome
from training.datasets.expectations.verdict import failing_rows, judge, told
from training.errors import DatasetError

ROW = FailingRow(2, 88, "2026-01-01T00:00:00Z", 12_000.0)
MET = Outcome("at least 5 rows", "300 rows", met=True, warn=False)
MISSED = Outcome("amount to 10000", "1 of 300 rows are outside", met=False, warn=False, rows=(ROW,))
WARNED = Outcome("celsius to 90", "1 of 300 rows are outside", met=False, warn=True, rows=(ROW,))


def test_what_is_not_met_stops_and_shows_the_rows() -> None:
    with pytest.raises(DatasetError) as stopped:
        judge([MET, WARNED, MISSED])
    assert "Not met: amount to 10000: 1 of 300 rows are outside, such as 12000 (partition 2, offset 88)." in str(
        stopped.value
    )
    assert "celsius" not in str(stopped.value), "what warns does not stop"


def test_what_warns_is_said_without_its_rows() -> None:
    said = judge([MET, WARNED])
    assert said == "; 1 of 2 expectations met; warning, not met: celsius to 90: 1 of 300 rows are outside"
    assert judge([MET]) == "; 1 of 1 expectations met"
    assert judge([]) == ""


def test_rows_are_kept_apart_from_the_report() -> None:
    assert told(WARNED) == {
        "expects": "celsius to 90", "found": "1 of 300 rows are outside", "met": False, "warn": True,
    }  # fmt: skip
    assert failing_rows([MET, WARNED]) == {
        "celsius to 90": [{"partition": 2, "offset": 88, "event_time": ROW.event_time, "value": 12_000.0}]
    }
