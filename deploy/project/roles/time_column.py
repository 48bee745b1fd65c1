"""Which column is the event time, and why it was taken."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.project.columns.column import Column
from deploy.project.columns.column_traits import is_mostly_there, is_named, is_of_instants, middle_us
from deploy.project.columns.hints import TIME_WORDS
from deploy.project.errors import ProjectError
from deploy.project.roles.outcome import is_later
from shared_features.counted import counted
from shared_features.definitions import Integer, Timestamp
from streaming.operations.produce.rows.wire_values import epoch_unit


def guess_time(columns: Sequence[Column], why: dict[str, str]) -> Column:
    """Raises ProjectError where no column is a time."""
    times = [each for each in columns if isinstance(each.type, Timestamp) and is_mostly_there(each)]
    if not times:
        raise ProjectError(
            f"no column of the file is a time, and every event needs one. It has {_listed(columns)}. Give a column of "
            "ISO 8601 texts, or of seconds, ms, us or ns since 1970 whose name says so, such as event_time, or which "
            f"you name with --event-time{_near_times(columns)}"
        )
    best = max(
        times,
        key=lambda each: (
            each.is_required,
            not is_later(each),
            is_of_instants(each),
            is_named(each, TIME_WORDS),
            -middle_us(each),
        ),
    )
    others = [each.name for each in times if each is not best]
    why["time"] = "the only column of times" if not others else f"of the times, it comes before {', '.join(others)}"
    return best


def _near_times(columns: Sequence[Column]) -> str:
    """What to write where texts look like times, and where the first line looks like values."""
    partly = [f"{each.name} is a time, and {counted(each.missing, 'row lacks', 'rows lack')} it" for each in columns
              if isinstance(each.type, Timestamp)]  # fmt: skip
    written = [each.advice for each in columns if each.advice.startswith(f"{each.name} is written as ")]
    values = sum(each.name.replace(".", "").replace("-", "").isdecimal() for each in columns)
    header = ["The names look like values: has the file a first line with the names of its columns?"] if values else []
    numbers = [f"{each.name} looks like {unit} since 1970: --event-time {each.name}"
               for each in columns if isinstance(each.type, Integer) and (unit := epoch_unit(each.values))]  # fmt: skip
    return "".join(f". {each}" for each in [*partly, *written, *numbers[:2], *header])


def _listed(columns: Sequence[Column]) -> str:
    names, most = [each.name for each in columns], 20
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
