"""The verdict over what became of the expectations: a run stops, or continues and says what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from training.datasets.expectations.outcome import Outcome
from training.errors import DatasetError


def judge(outcomes: Sequence[Outcome]) -> str:
    """What to add to a run's line: "" where nothing is expected. Raises DatasetError where a run has to stop.

    The line outlives the rows, so it holds none. The error shows some: the step that raises it leaves no file.
    """
    if stops := [each for each in outcomes if not each.met and not each.warn]:
        missed = "; ".join(each.with_rows for each in stops)
        raise DatasetError(
            f"the dataset is not as the model expects. Not met: {missed}. Correct the data or the expectation; with "
            "warn=True, a run says so and continues"
        )
    if not outcomes:
        return ""
    warned = [str(each) for each in outcomes if not each.met]
    met = f"{len(outcomes) - len(warned)} of {len(outcomes)} expectations met"
    return f"; {met}" + (f"; warning, not met: {'; '.join(warned)}" if warned else "")


def told(outcome: Outcome) -> dict[str, Any]:
    """For a report that holds no row of the dataset."""
    return {"expects": outcome.expects, "found": outcome.found, "met": outcome.met, "warn": outcome.warn}


def failing_rows(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What is expected -> the rows that are shown, of what is not met."""
    return {each.expects: [asdict(row) for row in each.rows] for each in outcomes if each.rows}
