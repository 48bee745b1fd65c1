"""Columns that give the label away: a request cannot know what becomes known only with the outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deploy.project.columns.column import Column
from deploy.project.columns.column_traits import differing
from deploy.project.roles.roles import Roles
from shared_features.definitions import Boolean, Text, Timestamp

_FEWEST = 10
"""So many rows of an outcome, and so many others, are needed before anything is said of it."""
_GIVEN_AWAY, _GOES_ALONG = 0.9, 0.5
"""By how much the share of missing values differs between an outcome and the others."""
_NEARLY, _USUAL = 0.98, 0.8
_AUC, _BOTH, _REPEATED = 0.99, 0.98, 0.1


class _Outcome(NamedTuple):
    """One outcome, as it is told, and which rows have it. `known`: which rows have any."""

    told: str
    has: NDArray[np.bool_]
    known: NDArray[np.bool_]


def given_away(columns: Iterable[Column], roles: Roles) -> dict[str, str]:
    """Column -> why no field takes it: whether it is missing tells the outcome."""
    outcomes = list(_outcomes(roles.label))
    found: dict[str, str] = {}
    for column in _others(columns, roles):
        for outcome in outcomes:
            of_it, of_others = _missing(column, outcome)
            if abs(of_it - of_others) >= _GIVEN_AWAY:
                found.setdefault(
                    column.name,
                    f"it is missing in {of_it:.0%} of the rows where {outcome.told} and in {of_others:.0%} of the "
                    "others, so that alone gives the label away, and a request cannot know it",
                )
    return found


def doubts(columns: Iterable[Column], roles: Roles) -> dict[str, str]:
    """Column -> why it may be known only after the outcome. No full stop at its end."""
    outcomes = list(_outcomes(roles.label))
    found = {}
    for column in _others(columns, roles):
        said = [*_beside(column, roles), *_said_once(_doubt(column, each) for each in outcomes)]
        if said:
            found[column.name] = "; ".join(said)
    return found


def _others(columns: Iterable[Column], roles: Roles) -> Iterator[Column]:
    """The columns that a field takes and that have no role."""
    given = (roles.time, roles.id, roles.key, roles.label, roles.arrival, roles.label_arrival, *roles.later)
    names = {each.name for each in given if each is not None}
    return (each for each in columns if each.type is not None and each.name not in names)


def _outcomes(label: Column | None) -> Iterator[_Outcome]:
    """Those with enough rows. None of a number: it has no classes."""
    if label is None or not isinstance(label.type, Boolean | Text):
        return
    known = np.array([value is not None for value in label.values])
    counts: Mapping[Any, int] = Counter(label.counts)
    classes = [True] if isinstance(label.type, Boolean) else sorted(counts)
    for each in classes:
        has = np.array([value == each for value in label.values]) & known
        if _FEWEST <= has.sum() <= known.sum() - _FEWEST:
            yield _Outcome(f"{label.name} is {'true' if each is True else each}", has, known)


def _missing(column: Column, outcome: _Outcome) -> tuple[float, float]:
    """The share of rows without the column: of those with the outcome, and of the others."""
    gone = _gone(column)
    return float(gone[outcome.has].mean()), float(gone[outcome.known & ~outcome.has].mean())


def _gone(column: Column) -> NDArray[np.bool_]:
    return np.array([value is None for value in column.values])


def _said_once(said: Iterable[str]) -> list[str]:
    """The first: where a column tells one of several outcomes, that is enough."""
    return [each for each in said if each][:1]


def _doubt(column: Column, outcome: _Outcome) -> str:
    """Empty where the values say nothing."""
    of_it, of_others = _missing(column, outcome)
    if abs(of_it - of_others) >= _GOES_ALONG or _tells(_gone(column), outcome):
        return f"it is missing in {of_it:.0%} of the rows where {outcome.told} and in {of_others:.0%} of the others"
    if not isinstance(column.type, Timestamp) and _separates(column, outcome):
        return f"it alone tells nearly every row where {outcome.told} from the others"
    return ""


def _tells(gone: NDArray[np.bool_], outcome: _Outcome) -> bool:
    """Whether nearly all rows that lack the column, or nearly all that have it, are of one rather rare outcome."""
    for rows in (gone & outcome.known, ~gone & outcome.known):
        for side in (outcome.has, outcome.known & ~outcome.has):
            usual = side.sum() / outcome.known.sum()
            if rows.sum() >= _FEWEST and usual <= _USUAL and side[rows].mean() >= _NEARLY:
                return True
    return False


def _separates(column: Column, outcome: _Outcome) -> bool:
    """By a threshold (area under the ROC curve), or by its values where they repeat."""
    rows = outcome.known & ~_gone(column)
    has = outcome.has[rows]
    of_it, of_others = int(has.sum()), int((~has).sum())
    if min(of_it, of_others) < _FEWEST:
        return False
    positive, negative = _by_value(_plain(column, rows), has)
    if differing(column) <= _REPEATED:
        its = positive / of_it > negative / of_others
        if min(positive[its].sum() / of_it, negative[~its].sum() / of_others) >= _BOTH:
            return True
    below = np.cumsum(negative) - negative
    area = float((positive * (below + negative / 2)).sum()) / (of_it * of_others)
    return not isinstance(column.type, Text) and max(area, 1 - area) >= _AUC


def _plain(column: Column, rows: NDArray[np.bool_]) -> Sequence[Any]:
    kind = str if isinstance(column.type, Text) else float
    return [kind(value) for value, taken in zip(column.values, rows, strict=True) if taken]


def _by_value(values: Sequence[Any], has: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per value, ascending: the rows with the outcome, and the others."""
    _, which = np.unique(np.array(values), return_inverse=True)
    positive = np.bincount(which, weights=has).astype(np.float64)
    return positive, np.bincount(which).astype(np.float64) - positive


def _beside(column: Column, roles: Roles) -> Iterator[str]:
    """Of a member of the object that the label is a member of, where that object is not the event itself."""
    parents = [each.name.rpartition(".")[0] for each in (roles.time, roles.id, roles.key)]
    parent = roles.label.name.rpartition(".")[0] if roles.label else ""
    if roles.label and parent and parent not in parents and column.name.rpartition(".")[0] == parent:
        yield f"it stands beside the label {roles.label.name}"
