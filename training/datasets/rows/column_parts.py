"""Which columns of a matrix are computed together, so that few stored features are in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared_features.definitions import Feature, FeatureView, ViewFeature

FEATURES_AT_ONCE = 6
"""Of a matrix of 45 features, the rows of six in float64 take a quarter of its room."""


@dataclass
class ColumnPart:
    """columns: with their places in the matrix. exact, rounded: the stored features they take, float64 or float32.

    A feature that only passes through is read as the float32 that a model sees.
    """

    columns: list[tuple[int, ViewFeature]] = field(default_factory=list)
    exact: list[Feature] = field(default_factory=list)
    rounded: list[Feature] = field(default_factory=list)


def column_parts(view: FeatureView) -> Iterator[ColumnPart]:
    """All columns, each once. Those that compute something come first, and what they take is read once for them.

    The columns of a function that takes more features than are read at once are a part of their own.
    """
    passing = {at: feature for at, column in enumerate(view.columns) if (feature := _passed(column))}
    part = ColumnPart()
    for at, column in enumerate(view.columns):
        if at in passing:
            continue
        more = [each.feature for each in column.inputs if each.feature and each.feature not in part.exact]
        if part.columns and len(part.exact) + len(more) > FEATURES_AT_ONCE:
            yield from _with_passed(part, view, passing)
            part = ColumnPart()
            more = [each.feature for each in column.inputs if each.feature]
        part.columns.append((at, column))
        part.exact += dict.fromkeys(more)
    yield from _with_passed(part, view, passing)
    while passing:
        some = dict(list(passing.items())[:FEATURES_AT_ONCE])
        yield ColumnPart([(at, view.columns[at]) for at in some], [], list(some.values()))
        passing = {at: feature for at, feature in passing.items() if at not in some}


def _with_passed(part: ColumnPart, view: FeatureView, passing: dict[int, Feature]) -> Iterator[ColumnPart]:
    """With the columns of what is read for the part anyway, which are no longer left to be read."""
    for at in [at for at, feature in passing.items() if feature in part.exact]:
        part.columns.append((at, view.columns[at]))
        del passing[at]
    if part.columns:
        yield part


def _passed(column: ViewFeature) -> Feature | None:
    """The stored feature that a column is, as it is."""
    return column.inputs[0].feature if column.function is None and column.category is None else None
