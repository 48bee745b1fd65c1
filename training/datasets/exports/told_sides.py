"""How many rows are for training and for the test, and how many of each class."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

_SIDES = ("train", "gap", "test")
_SHOWN = 20


def tell_sides(data: pl.DataFrame, windows: Mapping[str, str]) -> list[str]:
    """A line for each division of the rows. windows: its column -> that of the label; "" where there is none."""
    found = []
    for name, label in windows.items():
        parts = []
        for side in _SIDES:
            rows = data.filter(pl.col(name) == side)
            if len(rows):
                parts.append(f"{side} {len(rows):,}{_classes(rows[label]) if label else ''}")
        found.append(f"{name}: {', '.join(parts)}")
    return found


def _classes(label: pl.Series) -> str:
    """Of a label of few values."""
    if label.n_unique() > _SHOWN:
        return ""
    counts = label.value_counts(name="rows").sort(label.name, nulls_last=True).rows()
    return f" ({', '.join(f'{_plain(value)} {count:,}' for value, count in counts)})"


def _plain(value: object) -> str:
    if value is None:
        return "unknown"
    return f"{value:g}" if isinstance(value, float) else str(value)
