"""By which metric a candidate is chosen, and by which parts of the test window are measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.models.metrics.precision_name import k_of


def choosing_metric(asked: str, usual: str, models: Mapping[str, Mapping[str, Any]]) -> str:
    """The metric that is asked for; the usual one of the task where the test window has no value of that.

    models: candidate -> its metrics.
    """
    return usual if any(each[asked] is None for each in models.values()) else asked


def metric_of_parts(chosen_by: str, usual: str) -> str:
    """The metric of folds, slices and shuffled features: entity precision needs all entities of a day."""
    return chosen_by if k_of(chosen_by) is None else usual


def tell_choice(report: Mapping[str, Any]) -> str:
    """How a candidate was chosen. report: of `metrics.json`.

    >>> tell_choice({"chosen": "trees", "chosen_by": "average_precision", "asked_by": "precision_at_5_per_day"})
    'trees was chosen by average_precision, because precision_at_5_per_day has no value in the test window'
    """
    why = f", because {_asked(report)} has no value in the test window" if _is_other(report) else ""
    return f"{report['chosen']} was chosen by {report['chosen_by']}{why}"


def tell_compared(report: Mapping[str, Any]) -> str:
    """What the gate compares of a model that was not chosen among candidates.

    >>> tell_compared({"chosen_by": "average_precision", "asked_by": "precision_at_5_per_day"})
    'The gate compares precision_at_5_per_day, which has no value in the test window'
    """
    return f"The gate compares {_asked(report)}{', which has no value in the test window' if _is_other(report) else ''}"


def _asked(report: Mapping[str, Any]) -> str:
    """That which chose, in a report of an older release."""
    return str(report.get("asked_by", report["chosen_by"]))


def _is_other(report: Mapping[str, Any]) -> bool:
    return bool(_asked(report) != report["chosen_by"])
