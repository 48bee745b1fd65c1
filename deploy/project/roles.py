"""Which columns are the event's time, its id, the key of its entity and its label, and why they were taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deploy.project.arrival import guess_arrival
from deploy.project.column import Column
from deploy.project.errors import ProjectError
from deploy.project.hints import ID_WORDS, KEY_WORDS, LABEL_WORDS, NUMBER_LABEL_WORDS, TIME_WORDS
from deploy.project.horizon import horizon_us
from deploy.project.lengths import delay
from deploy.project.outcome import is_later, later_columns, time_of_true, true_note, unknown_note
from deploy.project.repeats import repeats_note
from shared_features.definitions import Boolean, Decimal, Integer, Text, Timestamp

_NEARLY = 0.95
_RARE = 0.2


@dataclass(frozen=True)
class Roles:
    """joins: what names the event that a label is of. label_time: None where the file does not say when an outcome
    became known. horizon_us: how long after the event that is, where the label's name says it.
    arrival: None where the file does not say when a row became known. label_arrival: set where only a true outcome has
    a time.

    later: columns known with the outcome. why: of each role. unknown: what could not be
    guessed, and what to do.
    """

    time: Column
    id: Column
    key: Column
    joins: tuple[Column, ...]
    label: Column | None
    label_time: Column | None
    later: list[Column]
    why: dict[str, str]
    horizon_us: int = 0
    unknown: list[str] = field(default_factory=list)
    arrival: Column | None = None
    label_arrival: Column | None = None


def guess_roles(columns: Sequence[Column], source: str) -> Roles:
    """Raises ProjectError where no column can be the event's time."""
    why: dict[str, str] = {}
    unknown: list[str] = []
    time = _time(columns, why)
    arrival = guess_arrival(columns, time, why)
    columns = [each for each in columns if each is not arrival]
    label = _label(columns, why)
    id_ = _id([each for each in columns if each is not label], source, why)
    key = _key([each for each in columns if each not in (label, id_, time)], why)
    joins: tuple[Column, ...] = (time,) if id_ is None else (id_,)
    if id_ is None and key is not None and _name_together(key, time):
        joins = (key, time)
        why["id"] = (
            f"no column differs in every row, so the event time stands in. {key.name} and {time.name} together do, so "
            "a label joins on both"
        )
    elif id_ is None:
        label = None
        why["id"] = "no column differs in every row, so the event time stands in. Name a better one if there is one"
        unknown.append(
            "No column names each event: none differs in every row. The event time stands in for the event id, and no "
            "label is joined. Add a column that numbers the rows, then run this again"
        )
    id_ = id_ or time
    if label is None and len(unknown) == 0:
        unknown.append(
            "No column looks like a label: true or false, 0 and 1, or a number whose name is target or looks ahead, as "
            "in load_in_30min. Without a label nothing is trained. Add an event source with the outcomes and `labels` "
            "to the view: docs/definitions.md, section 4"
        )
    if key is None:
        key = id_
        why["key"] = "nothing repeats, so the event id stands in. No event has a history: name a column that repeats"
        unknown.append(
            "No column names an entity: none repeats and is never missing. The event id stands in, so windows stay "
            "empty. Set the keys of the entity to the field that your features are about"
        )
    later = later_columns(columns, time, label) if label else []
    label_arrival = None
    label_time = next((each for each in later if each.is_required), None)
    ahead_us = (horizon_us(label.name) or 0) if label else 0
    if label_time:
        why["label_time"] = f"it is never before {time.name}"
    elif label and not ahead_us and _is_truth(label) and (label_arrival := time_of_true(later, label)):
        unknown.append(true_note(label_arrival, label, delay(wait_us(label_arrival, time, 0.99))))
    elif label and not ahead_us:
        unknown.append(unknown_note(later))
    if label and label.missing:
        unknown.append(
            f"{label.name} is missing in {label.missing:,} rows: each of those becomes a dead letter of the labels, "
            "which does no harm. Put the outcomes into a file of their own to avoid that"
        )
    fields = [each for each in columns if each is not label and each not in later]
    unknown += [_missing_key(each) for each in fields if _names_an_entity(each, missing=True)]
    if id_ is not time and (again := repeats_note(id_, fields)):
        unknown.append(again)
    return Roles(time, id_, key, joins, label, label_time, later, why, ahead_us, unknown, arrival, label_arrival)


def wait_us(later: Column, time: Column, share: float) -> int:
    """How long after the event such a share of the times lies, of those that are there."""
    pairs = zip(later.instants, time.instants, strict=True)
    waits = sorted(a - b for a, b in pairs if a is not None and b is not None)
    return waits[int(share * (len(waits) - 1))]


def _missing_key(column: Column) -> str:
    text = isinstance(column.type, Text)
    stand_in = '"unknown"' if text else "0"
    return (
        f"{column.name} may name an entity too. {column.missing:,} rows lack it, and a key is never missing, so no "
        f"group is about it. To count by it: write {stand_in} where it is missing, in the file and in requests; make "
        f'the field required; then add Entity("{column.field}", keys=("{column.field}",)) and a FeatureGroup with '
        f'where=(Condition("{column.field}", "!=", {stand_in}),)'
    )


def _time(columns: Sequence[Column], why: dict[str, str]) -> Column:
    times = [each for each in columns if isinstance(each.type, Timestamp) and _mostly_there(each)]
    if not times:
        names = ", ".join(each.name for each in columns)
        raise ProjectError(
            f"no column of the file is a time, and every event needs one. It has {names}. Give a column of ISO 8601 "
            "texts, or of seconds, ms, us or ns since 1970 whose name says so, such as event_time"
        )
    best = max(times, key=lambda each: (each.is_required, not is_later(each), _named(each, TIME_WORDS), -_middle(each)))
    others = [each.name for each in times if each is not best]
    why["time"] = "the only column of times" if not others else f"of the times, it comes before {', '.join(others)}"
    return best


def _id(columns: Sequence[Column], source: str, why: dict[str, str]) -> Column | None:
    rows = max(len(each.values) for each in columns)
    known = [each for each in columns if isinstance(each.type, Integer | Text) and _mostly_there(each)]
    found = [each for each in known if _differ(each) >= _NEARLY and (_is_id(each, source) or _is_like_an_id(each))]
    if not found or rows < 2:
        return found[0] if found else None
    about = {source, source.removesuffix("s")}
    best = max(found, key=lambda each: (_is_id(each, source), bool(about & set(each.words)), _differ(each)))
    repeat = best.counts.total() - len(best.counts)
    why["id"] = f"{repeat:,} of its {best.counts.total():,} values repeat an earlier one" if repeat else (
        f"its {best.counts.total():,} values all differ"
    )  # fmt: skip
    return best


def _key(columns: Iterable[Column], why: dict[str, str]) -> Column | None:
    found = [each for each in columns if _names_an_entity(each)]
    if not found:
        return None
    best = max(
        found,
        key=lambda each: (
            _named(each, KEY_WORDS) or _named(each, ID_WORDS),
            _named(each, KEY_WORDS),
            _named(each, ID_WORDS),
            len(each.counts),
        ),
    )
    count, different = best.counts.total(), len(best.counts)
    others = [each.name for each in found if each is not best]
    also = f". {', '.join(others)} would do, too" if others else ""
    why["key"] = (
        f"{1 - different / count:.0%} of its {count:,} values repeat, so it names an entity "
        f"({different:,} different ones){also}"
    )
    return best


def _names_an_entity(column: Column, *, missing: bool = False) -> bool:
    """missing: of the columns that some rows lack; without it, of the others. Those need a name that says it."""
    hinted = _named(column, KEY_WORDS) or _named(column, ID_WORDS)
    fits = isinstance(column.type, Text) or (isinstance(column.type, Integer) and hinted)
    if missing and not hinted:
        return False
    return bool(fits and column.is_required is not missing and len(column.counts) >= 2 and _differ(column) <= 0.8)


def _name_together(key: Column, time: Column) -> bool:
    """Whether no two rows have both values in common."""
    pairs = [each for each in zip(key.values, time.values, strict=True) if None not in each]
    return len(set(pairs)) == len(pairs) > 0


def _number_ahead(columns: Iterable[Column], truths: Sequence[Column]) -> Column | None:
    """A number that is known later, by its name."""
    numbers = [each for each in columns if isinstance(each.type, Decimal | Integer) and each not in truths]
    called = [each for each in numbers if each.words and each.words[-1] in NUMBER_LABEL_WORDS]
    return next(iter([*called, *(each for each in numbers if horizon_us(each.name) is not None)]), None)


def _label(columns: Sequence[Column], why: dict[str, str]) -> Column | None:
    truths = [each for each in columns if _is_truth(each)]
    named = [each for each in truths if _named(each, LABEL_WORDS)]
    rare = [each for each in truths if each.counts[1] <= _RARE * each.counts.total()]
    if named:
        best = max(named, key=lambda each: each.words[-1] in LABEL_WORDS)
        why["label"] = "its name says that it is an outcome"
    elif number := _number_ahead(columns, truths):
        why["label"] = "it is a number, and its name says that it is an outcome"
        return number
    elif len(truths) == 1 and rare:
        best = rare[0]
        why["label"] = "the only column of truths, and few are true; its name does not say so"
    else:
        return None
    true = best.counts[1] / best.counts.total()
    why["label"] += f"; {true:.1%} are true"
    return best.becomes(Boolean(), best.why) if isinstance(best.type, Integer | Decimal) else best


def _is_truth(column: Column) -> bool:
    return isinstance(column.type, Boolean | Integer | Decimal) and set(column.counts) == {0, 1}


def _named(column: Column, hints: set[str]) -> bool:
    return bool(hints & set(column.words))


def _is_id(column: Column, source: str) -> bool:
    return _named(column, ID_WORDS | {source, source.removesuffix("s")}) or column.words[-1:] == ["id"]


def _is_like_an_id(column: Column) -> bool:
    """Whether its values, not its name, say so: each is one word, and none repeats."""
    return isinstance(column.type, Text) and _differ(column) == 1 and not any(" " in each for each in column.counts)


def _mostly_there(column: Column) -> bool:
    return column.missing <= (1 - _NEARLY) * len(column.values)


def _differ(column: Column) -> float:
    return len(column.counts) / column.counts.total()


def _middle(column: Column) -> int:
    instants = sorted(each for each in column.instants if each is not None)
    return instants[len(instants) // 2]
