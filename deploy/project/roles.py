"""Which columns are the event's time, its id, the key of its entity and its label, and why they were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from deploy.project.arrival import guess_arrival
from deploy.project.column import Column
from deploy.project.column_traits import (
    NEARLY,
    differing,
    is_id,
    is_like_an_id,
    is_mostly_there,
    is_named,
    is_truth,
    middle_us,
)
from deploy.project.entity_column import guess_key, missing_key_note, names_an_entity
from deploy.project.errors import ProjectError
from deploy.project.hints import TIME_WORDS
from deploy.project.horizon import horizon_us
from deploy.project.label_column import guess_label
from deploy.project.lengths import delay
from deploy.project.outcome import is_later, later_columns, time_of_true, true_note, unknown_note
from deploy.project.repeats import repeats_note
from shared_features.definitions import Integer, Text, Timestamp


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
    label = guess_label(columns, why)
    id_ = _id([each for each in columns if each is not label], source, why)
    key = guess_key([each for each in columns if each not in (label, id_, time)], why)
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
    elif label and not ahead_us and is_truth(label) and (label_arrival := time_of_true(later, label)):
        unknown.append(true_note(label_arrival, label, delay(wait_us(label_arrival, time, 0.99))))
    elif label and not ahead_us:
        unknown.append(unknown_note(later))
    if label and label.missing:
        unknown.append(
            f"{label.name} is missing in {label.missing:,} rows: each of those becomes a dead letter of the labels, "
            "which does no harm. Put the outcomes into a file of their own to avoid that"
        )
    fields = [each for each in columns if each is not label and each not in later]
    unknown += [missing_key_note(each) for each in fields if names_an_entity(each, missing=True)]
    if id_ is not time and (again := repeats_note(id_, fields)):
        unknown.append(again)
    return Roles(time, id_, key, joins, label, label_time, later, why, ahead_us, unknown, arrival, label_arrival)


def wait_us(later: Column, time: Column, share: float) -> int:
    """How long after the event such a share of the times lies, of those that are there."""
    pairs = zip(later.instants, time.instants, strict=True)
    waits = sorted(a - b for a, b in pairs if a is not None and b is not None)
    return waits[int(share * (len(waits) - 1))]


def _time(columns: Sequence[Column], why: dict[str, str]) -> Column:
    times = [each for each in columns if isinstance(each.type, Timestamp) and is_mostly_there(each)]
    if not times:
        names = ", ".join(each.name for each in columns)
        raise ProjectError(
            f"no column of the file is a time, and every event needs one. It has {names}. Give a column of ISO 8601 "
            "texts, or of seconds, ms, us or ns since 1970 whose name says so, such as event_time"
        )
    best = max(
        times, key=lambda each: (each.is_required, not is_later(each), is_named(each, TIME_WORDS), -middle_us(each))
    )
    others = [each.name for each in times if each is not best]
    why["time"] = "the only column of times" if not others else f"of the times, it comes before {', '.join(others)}"
    return best


def _id(columns: Sequence[Column], source: str, why: dict[str, str]) -> Column | None:
    rows = max(len(each.values) for each in columns)
    known = [each for each in columns if isinstance(each.type, Integer | Text) and is_mostly_there(each)]
    found = [each for each in known if differing(each) >= NEARLY and (is_id(each, source) or is_like_an_id(each))]
    if not found or rows < 2:
        return found[0] if found else None
    about = {source, source.removesuffix("s")}
    best = max(found, key=lambda each: (is_id(each, source), bool(about & set(each.words)), differing(each)))
    repeat = best.counts.total() - len(best.counts)
    why["id"] = f"{repeat:,} of its {best.counts.total():,} values repeat an earlier one" if repeat else (
        f"its {best.counts.total():,} values all differ"
    )  # fmt: skip
    return best


def _name_together(key: Column, time: Column) -> bool:
    """Whether no two rows have both values in common."""
    pairs = [each for each in zip(key.values, time.values, strict=True) if None not in each]
    return len(set(pairs)) == len(pairs) > 0
