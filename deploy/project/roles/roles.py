"""Which columns are the event's time, its id, the key of its entity and its label, and why they were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from deploy.project.columns.column import Column
from deploy.project.columns.column_traits import is_truth
from deploy.project.errors import ProjectError
from deploy.project.lengths import delay
from deploy.project.roles.arrival import guess_arrival
from deploy.project.roles.entity_column import guess_key, missing_key_note, names_an_entity
from deploy.project.roles.horizon import horizon_us
from deploy.project.roles.id_column import guess_id, name_together
from deploy.project.roles.label_column import guess_label, no_label_note
from deploy.project.roles.outcome import later_columns, time_of_true, true_note, unknown_note
from deploy.project.roles.repeats import repeats_note
from deploy.project.roles.time_column import guess_time
from deploy.project.wishes import Wishes
from shared_features.definitions import Timestamp


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


def guess_roles(columns: Sequence[Column], source: str, wishes: Wishes | None = None) -> Roles:
    """Raises ProjectError where no column can be the event's time, or where a wish cannot be met."""
    wishes = wishes or Wishes()
    wishes.check_names(columns)
    why: dict[str, str] = {}
    unknown: list[str] = []
    time = wishes.time(columns, why) or guess_time(columns, why)
    label = wishes.outcome(columns, why)
    wished = (wishes.id(columns, why), wishes.entity_key(columns, why), label)
    rest = [each for each in columns if not any(each.name == one.name for one in (time, *wished) if one is not None)]
    arrival = guess_arrival(rest, time, why)
    rest = [each for each in rest if each is not arrival]
    columns = [each for each in columns if each is not arrival]
    if label is None and not wishes.no_label:
        label = guess_label(rest, why)
        rest = [each for each in rest if label is None or each.name != label.name]
    id_ = wished[0] or guess_id(rest, source, why)
    key = wished[1] or guess_key([each for each in rest if each is not id_], why)
    id_, joins, label = _named_by(id_, key, time, label, wishes, why, unknown)
    if label is None and not unknown and not wishes.no_label:
        unknown.append(no_label_note(each for each in columns if each not in (id_, key, time)))
    key = key or _stand_in(id_, why, unknown)
    later = later_columns(columns, time, label) if label else []
    label_time = next((each for each in later if each.is_required), None)
    ahead_us = (horizon_us(label.name) or 0) if label else 0
    label_arrival = None
    if label_time:
        why["label_time"] = f"it is never before {time.name}"
    elif label and not ahead_us and is_truth(label) and (label_arrival := time_of_true(later, label)):
        length_us = wait_us(label_arrival, time, 0.99) if wishes.delay_us is None else wishes.delay_us
        unknown.append(true_note(label_arrival, label, delay(length_us)))
    elif label and not ahead_us and wishes.delay_us is None:
        unknown.append(unknown_note(later))
    if label and label.missing:
        unknown.append(
            f"{label.name} is missing in {label.missing:,} rows: each of those becomes a dead letter of the labels, "
            "which does no harm. Put the outcomes into a file of their own to avoid that"
        )
    fields = [each for each in columns if label is None or (each.name != label.name and each not in later)]
    unknown += [missing_key_note(each) for each in fields if names_an_entity(each, missing=True)]
    if id_ is not time and (again := repeats_note(id_, fields)):
        unknown.append(again)
    return Roles(time, id_, key, joins, label, label_time, later, why, ahead_us, unknown, arrival, label_arrival)


def _named_by(
    id_: Column | None,
    key: Column | None,
    time: Column,
    label: Column | None,
    wishes: Wishes,
    why: dict[str, str],
    unknown: list[str],
) -> tuple[Column, tuple[Column, ...], Column | None]:
    """What names an event, what a label joins on, and the label: None where nothing names the event that it is of."""
    if id_ is not None:
        return id_, (id_,), label
    if key is not None and name_together(key, time):
        why["id"] = (
            f"no column differs in every row, so the event time stands in. {key.name} and {time.name} together do, so "
            "a label joins on both"
        )
        return time, (key, time), label
    if wishes.label is not None:
        raise ProjectError(
            f"--label {wishes.label}: no column names the event that it is of: none differs in every row. Add a column "
            "that numbers the rows, or name one with --event-id"
        )
    why["id"] = "no column differs in every row, so the event time stands in. Name a better one if there is one"
    unknown.append(
        "No column names each event: none differs in every row. The event time stands in for the event id, and no "
        "label is joined. Add a column that numbers the rows, then run this again (or name one with --event-id)"
    )
    return time, (time,), None


def _stand_in(id_: Column, why: dict[str, str], unknown: list[str]) -> Column:
    """Raises ProjectError where only the event time names an event: a key is a text or a whole number."""
    if isinstance(id_.type, Timestamp):
        raise ProjectError(
            "no column of the file names an entity, which features are about, and none names each event. Add a column "
            "that does, such as device or customer (if the whole file is about one thing: the same text in every row), "
            "and name it with --key"
        )
    why["key"] = "nothing repeats, so the event id stands in. No event has a history: name a column that repeats"
    unknown.append(
        "No column names an entity: none repeats and is never missing. The event id stands in, so windows stay "
        "empty. Name the column that your features are about with --key"
    )
    return id_


def wait_us(later: Column, time: Column, share: float) -> int:
    """How long after the event such a share of the times lies, of those that are there."""
    pairs = zip(later.instants, time.instants, strict=True)
    waits = sorted(a - b for a, b in pairs if a is not None and b is not None)
    return waits[int(share * (len(waits) - 1))]
