"""Slices of a run as facts, and what stays of many."""

from __future__ import annotations

from typing import Any

from training.runs.records.run_slices import fewer_slices, slice_facts, slice_rows


def slices(**values: tuple[int, float | None]) -> dict[str, Any]:
    """Of the feature `category`: slice -> rows and metric. The worst and the best are those of two rows or more."""
    known = {name: value for name, (rows, value) in values.items() if rows > 1 and value is not None}
    worst, best = (pick(known, key=lambda name: known[name], default=None) for pick in (min, max))
    found = {name: {"rows": rows, "f1": value} for name, (rows, value) in values.items()}
    gap = None if worst is None or best is None else known[best] - known[worst]
    return {"category": {"metric": "f1", "slices": found, "worst": worst, "best": best, "gap": gap}}


def test_each_slice_is_a_fact_under_the_name_of_its_feature_and_metric() -> None:
    found = slices(food=(120, 0.5), toys=(80, 0.25), missing=(1, None))
    assert slice_facts(found) == {
        "category food, f1": 0.5,
        "category toys, f1": 0.25,
        "category missing, f1": None,
        "category, worst": "toys",
        "category, gap": 0.25,
    }
    assert slice_rows(found) == {"category food": 120, "category toys": 80, "category missing": 1}
    assert slice_facts({}) == slice_rows({}) == {}


def test_of_many_slices_the_largest_the_worst_and_the_best_stay() -> None:
    many = {f"s{rows}": (rows, rows / 100) for rows in range(2, 40)}
    found = fewer_slices(slices(**many, s1=(1, 0.0)))["category"]
    assert set(found["slices"]) == {"s2", *(f"s{rows}" for rows in range(28, 40))}
    assert (found["worst"], found["best"]) == ("s2", "s39")
    assert fewer_slices(slices(food=(1, 0.5))) == slices(food=(1, 0.5)), "without a worst one"
