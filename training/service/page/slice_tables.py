"""The slices of two runs side by side: a table for each feature, in which the worst slice of each run is marked."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from training.facts import shown
from training.models.comparison.slice_order import in_order
from training.runs.records.run_slices import Slices
from training.service.page.parts import status, table

_NONE: Mapping[str, Any] = {"slices": {}, "worst": None}


def slice_tables(first: Slices, second: Slices) -> str:
    """Empty without slices. Runs whose models were chosen by other metrics have tables of their own."""
    drawn = "".join(
        _table(feature, metric, _of(first, feature, metric), _of(second, feature, metric))
        for feature, metric in dict.fromkeys(
            (feature, found["metric"]) for slices in (first, second) for feature, found in slices.items()
        )
    )
    return f"<h2>Slices</h2>{drawn}" if drawn else ""


def _of(slices: Slices, feature: str, metric: str) -> Mapping[str, Any]:
    found = slices.get(feature, _NONE)
    return found if found.get("metric") == metric else _NONE


def _table(feature: str, metric: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    rows = [
        (
            escape(name),
            _rows(first, second, name),
            _value(first, name, metric),
            _value(second, name, metric),
            _difference(first, second, name, metric),
        )
        for name in in_order({**first["slices"], **second["slices"]})
    ]
    head = (escape(feature), "rows", "first", "second", "difference")
    return f"<h3>{escape(feature)}, by {escape(metric)}</h3>" + table(head, rows, kind="compared")


def _rows(first: Mapping[str, Any], second: Mapping[str, Any], name: str) -> str:
    """One number where both have as many."""
    known = [each["slices"].get(name, {}).get("rows") for each in (first, second)]
    return " / ".join(dict.fromkeys(shown(each) or "none" for each in known))


def _value(found: Mapping[str, Any], name: str, metric: str) -> str:
    if name not in found["slices"]:
        return "<mark>none</mark>"
    text = shown(found["slices"][name].get(metric)) or "no value"
    return f"{escape(text)} {status('worst')}" if name == found["worst"] else escape(text)


def _difference(first: Mapping[str, Any], second: Mapping[str, Any], name: str, metric: str) -> str:
    values = [each["slices"].get(name, {}).get(metric) for each in (first, second)]
    return "" if None in values or values[0] == values[1] else f"{values[1] - values[0]:+.4g}"
