"""Facts in sections of names and values: of a run or of a version, side by side with those of another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared_features.formats.model_manifest import BATCH_ROWS, GraphCost

Facts = dict[str, dict[str, Any]]
"""Section -> name -> number, text or list; None where it is not known."""
_WIDEST = 48
"""Of a column that is padded: one long error would push every other cell off the screen."""

_STABILITY = {
    "psi": "PSI",
    "rank_correlation": "rank correlation",
    "changed": "other decisions, share of rows",
    "mean_change": "mean change",
}


@dataclass(frozen=True)
class FactRow:
    """One fact of two. difference: second less first where both are numbers, else None."""

    section: str
    name: str
    first: Any
    second: Any

    @property
    def same(self) -> bool:
        return bool(self.first == self.second)

    @property
    def difference(self) -> float | None:
        values = (self.first, self.second)
        if all(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
            return float(self.second) - float(self.first)
        return None


def side_by_side(first: Facts, second: Facts) -> list[FactRow]:
    """Every fact of either, section by section. A fact that one lacks is None there."""
    rows = []
    for section in {**first, **second}:
        ours, theirs = first.get(section, {}), second.get(section, {})
        rows += [FactRow(section, name, ours.get(name), theirs.get(name)) for name in {**ours, **theirs}]
    return rows


def graph_facts(cost: GraphCost | None) -> dict[str, Any]:
    """What a graph costs, under names for people. Times have two digits: the third is another one each time."""
    if cost is None:
        return {}
    times = {"one row, us": cost.row_us, f"{BATCH_ROWS} rows, us": cost.batch_us}
    return {"bytes": cost.graph_bytes, **{name: float(f"{us:.2g}") for name, us in times.items()}}


def stability_facts(found: Mapping[str, Any]) -> dict[str, Any]:
    """`ScoreStability` as plain data, under names for people; empty without a champion of the same view."""
    return {says: found.get(name) for name, says in _STABILITY.items() if found}


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    return str(value)


def table_lines(title: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A title, and columns as wide as their widest cell, up to 48 characters. Nothing without rows.

    Behind a cell that is wider, the row continues in a line of its own, so that every column begins at one place.
    """
    if not rows:
        return
    yield f"== {title}"
    widths = [min(_WIDEST, max(len(row[at]) for row in rows)) for at in range(len(rows[0]))]
    for row in rows:
        line, begins = "", 0
        for cell, width in zip(row, widths, strict=True):
            if len(line) > begins:
                yield line.rstrip()
                line = ""
            line = f"{line:{begins}}{cell:{width}}  "
            begins += width + 2
        yield line.rstrip()


def compared_lines(rows: Sequence[FactRow]) -> Iterator[str]:
    """The rows of `side_by_side` as tables, one for each section."""
    for section in dict.fromkeys(row.section for row in rows):
        lines = [
            (row.name, shown(row.first), shown(row.second), "" if not row.difference else f"{row.difference:+.6g}")
            for row in rows
            if row.section == section and (shown(row.first) or shown(row.second))
        ]
        yield from table_lines(section, lines)
