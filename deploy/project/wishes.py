"""What a person says about the columns of a file, where a guess would be another one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from deploy.project.columns.column import Column
from deploy.project.columns.column_traits import is_truth
from deploy.project.errors import ProjectError
from shared_features.arguments import did_you_mean
from shared_features.definitions import Boolean, Decimal, Integer, Text, Timestamp

MOST_CLASSES = 200
_COMPARED = re.compile(r"(.+?)\s*(?:==|!=|<=|>=|<|>|=)\s*.+")


@dataclass(frozen=True)
class Wishes:
    """Names of columns, or of the fields that they become. None: it is guessed. delay_us: how long an outcome takes."""

    event_time: str | None = None
    event_id: str | None = None
    key: str | None = None
    label: str | None = None
    no_label: bool = False
    delay_us: int | None = None

    def without_label(self) -> Wishes:
        return replace(self, label=None)

    def check_names(self, columns: Iterable[Column]) -> None:
        """Raises ProjectError for a name that no column has, and for a column that is to be two things."""
        known = {each: column.name for column in columns for each in (column.field, column.name)}
        roles: dict[str, str] = {}
        for option, name in self._named():
            if name not in known and (compared := _COMPARED.fullmatch(name)) and compared[1] in known:
                raise ProjectError(
                    f"{option} names {name}, which is a condition. Name the column alone: {option} {compared[1]}. Then "
                    "write the condition into the module, as the value of its LabelSource: Condition(COLUMN, OPERATOR, "
                    "VALUE)"
                )
            if name not in known:
                raise ProjectError(
                    f"{option} names {name}, and the file has no such column.{did_you_mean(name, known)} It has "
                    f"{_listed(list(dict.fromkeys(known.values())))}"
                )
            if (other := roles.setdefault(known[name], option)) != option:
                raise ProjectError(f"{other} and {option} both name {name}. Name two columns")

    def is_event_time(self, column: str, field: str) -> bool:
        return self.event_time is not None and self.event_time in (column, field)

    def time(self, columns: Sequence[Column], why: dict[str, str]) -> Column | None:
        """The column of --event-time. Raises ProjectError where it holds no times."""
        found = _of_name(columns, self.event_time)
        if found is not None:
            if not isinstance(found.type, Timestamp):
                raise ProjectError(
                    f"--event-time {found.name}: its values are not read as times{_such_as(found)}. Give ISO 8601 "
                    f"texts, or numbers of s, ms, us or ns since 1970{f'. {found.advice}' if found.advice else ''}"
                )
            _refuse_missing("--event-time", found, "an event is never without its time")
            why["time"] = "you named it"
        return found

    def id(self, columns: Sequence[Column], why: dict[str, str]) -> Column | None:
        """The column of --event-id. Raises ProjectError where no id is of its type."""
        found = _of_name(columns, self.event_id)
        if found is not None:
            _refuse_type("--event-id", found, "an id")
            _refuse_missing("--event-id", found, "an event is never without its id")
            why["id"] = "you named it"
        return found

    def entity_key(self, columns: Sequence[Column], why: dict[str, str]) -> Column | None:
        """The column of --key. Raises ProjectError where it names no entity."""
        found = _of_name(columns, self.key)
        if found is not None:
            _refuse_type("--key", found, "a key")
            stand_in = '"unknown"' if isinstance(found.type, Text) else "0"
            _refuse_missing("--key", found, f"a key is never missing. Write {stand_in} there")
            why["key"] = f"you named it; it has {len(found.counts):,} different values"
        return found

    def outcome(self, columns: Sequence[Column], why: dict[str, str]) -> Column | None:
        """The column of --label, as a truth where it is one. Raises ProjectError where no model predicts it."""
        found = _of_name(columns, self.label)
        if found is None:
            return None
        if isinstance(found.type, Timestamp):
            raise ProjectError(f"--label {found.name}: it is a time. Name a column of outcomes, or of numbers")
        if isinstance(found.type, Text) and len(found.counts) > MOST_CLASSES:
            raise ProjectError(
                f"--label {found.name}: it is a text with {len(found.counts):,} different values{_such_as(found)}. "
                f"A label has at most {MOST_CLASSES}. Name a column of outcomes, or of numbers"
            )
        if len(found.counts) < 2:
            raise ProjectError(f"--label {found.name}: all rows have one value. A label has two or more")
        why["label"] = "you named it"
        return found.becomes(Boolean(), found.why) if is_truth(found) else found

    def _named(self) -> list[tuple[str, str]]:
        options = (
            ("--event-time", self.event_time),
            ("--event-id", self.event_id),
            ("--key", self.key),
            ("--label", self.label),
        )
        return [(option, name) for option, name in options if name is not None]


def _of_name(columns: Sequence[Column], name: str | None) -> Column | None:
    by_name = next((each for each in columns if each.name == name), None)
    return by_name or next((each for each in columns if each.field == name), None) if name is not None else None


def _refuse_type(option: str, column: Column, what: str) -> None:
    if isinstance(column.type, Text) or (isinstance(column.type, Integer) and not isinstance(column.type, Boolean)):
        return
    kind = "a number with decimals" if isinstance(column.type, Decimal) else "a truth"
    kind = "a time" if isinstance(column.type, Timestamp) else kind
    raise ProjectError(f"{option} {column.name}: it is {kind}, and {what} is a text or a whole number. Name another")


def _refuse_missing(option: str, column: Column, why: str) -> None:
    if column.missing:
        rows = "1 row lacks" if column.missing == 1 else f"{column.missing:,} rows lack"
        raise ProjectError(f"{option} {column.name}: {rows} it, and {why}, or name another column")


def _such_as(column: Column) -> str:
    value = next(iter(column.counts), None)
    return "" if value is None else f", such as {str(value)[:40]!r}"


def _listed(names: list[str]) -> str:
    most = 20
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
