"""When an outcome became known: the columns that may say it, and what can be said where none does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deploy.project.columns.column import Column
from deploy.project.columns.hints import LATER_WORDS, TIME_WORDS
from deploy.project.roles.arrival import is_arrival
from shared_features.definitions import Timestamp

_NEARLY = 0.95


def later_columns(columns: Iterable[Column], time: Column, label: Column) -> list[Column]:
    """The times at which an outcome may have become known, the likeliest first."""
    times = [each for each in columns if isinstance(each.type, Timestamp) and each is not time and _follows(each, time)]
    own = [each for each in times if (set(each.words) - TIME_WORDS) & set(label.words)]
    return own or [each for each in times if is_later(each)]


def is_later(column: Column) -> bool:
    """Whether the name of a column of times says that an event does not begin with it."""
    return bool(LATER_WORDS & set(column.words)) or is_arrival(column)


def time_of_true(later: Iterable[Column], label: Column) -> Column | None:
    """A column that has the time of (nearly) every true outcome, and lacks that of others."""
    for each in later:
        true = [at is not None for at, value in zip(each.values, label.values, strict=True) if value]
        if true and sum(true) >= _NEARLY * len(true):
            return each
    return None


def true_note(column: Column, label: Column, delay: str) -> str:
    """What is proposed where only true outcomes have a time. No full stop at its end."""
    return (
        f"{column.name} is missing in {column.missing:,} rows, and nearly each row where {label.name} is true has it. "
        f"So no row says when a false outcome became known. Proposed: false means that nothing happened within "
        f"{delay}, the `delay` of the view, and training uses no younger event. A true outcome counts as known from "
        f"{column.name} on (`--arrival`). Live, send a true outcome when it happens, and a false one when the delay is "
        "over"
    )


def unknown_note(later: Sequence[Column]) -> str:
    """What to do where no column says when an outcome became known. No full stop at its end."""
    found = f"{later[0].name} is missing in {later[0].missing:,} rows" if later else "No column names that time"
    return (
        f"When an outcome became known is unknown. {found}. The labels count as known at once. If an outcome takes an "
        "hour, run this again with `--delay 1h`, or set `delay` in the view: training uses no younger event. Or give "
        "every row a column with that time"
    )


def _follows(later: Column, time: Column) -> bool:
    pairs = zip(later.instants, time.instants, strict=True)
    return all(a >= b for a, b in pairs if a is not None and b is not None)
