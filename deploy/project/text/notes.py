"""Notes: what a person must know or do first about a proposal, one text each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from deploy.project.proposal import Proposal
from deploy.project.roles.roles import Roles
from shared_features.kernel.event_time import spelled_duration
from streaming.operations.produce.times.arrival_text import arrival_text

_SHOWN = 6


def notes_of(proposal: Proposal) -> list[str]:
    """What could not be guessed, and what was read otherwise than a person may expect."""
    notes = [f"{each}." for each in proposal.roles.unknown]
    if proposal.roles.arrival:
        notes.append(_arrival_note(proposal.roles))
    if after := _outcome_wait(proposal):
        notes.append(
            f"An outcome counts as known{after} (`--arrival`), so that a feature of past outcomes counts none before. "
            "If that is not so, change it there and in `delay`."
        )
    notes += _known_before(proposal)
    nested = [f"{each.name} is the field {each.field}" for each in proposal.columns if each.is_nested]
    if nested:
        notes.append(
            f"Nested objects become fields: {_few(nested)}. `produce` finds them, and so does the stream job in events "
            "that your services send as they are (`format`). A request has the names of the fields."
        )
    if proposal.decimal_comma:
        notes.append(
            "Numbers are written with a decimal comma, so the command has `--decimal-comma`. A point in them is read "
            "as a decimal point, unless a comma follows."
        )
    by_why: dict[str, list[str]] = {}
    for each in proposal.left:
        by_why.setdefault(each.why, []).append(f"`{each.name}`")
    return notes + [_left_out(names, why) for why, names in by_why.items()]


def _known_before(proposal: Proposal) -> list[str]:
    """What a person must know of the features that a request gives, where there is an outcome."""
    if proposal.roles.label is None:
        return []
    given = [f"`{each.field}`" for each in proposal.numbers]
    asked = (
        f"The view takes {_few(given)} from the request. Is each of these known before the outcome? Remove what is not."
    )
    said = [
        f"Column `{name}` may be known only after the outcome: {why}. If so, remove it."
        for name, why in proposal.doubts.items()
    ]
    return [*([asked] if given else []), *said]


def _outcome_wait(proposal: Proposal) -> str:
    """How long after its row an outcome is known, where `produce` is told so; else empty."""
    arrival = proposal.arrivals.get(proposal.label_source, "")
    after_us = arrival_text(arrival).after_us
    if not after_us or proposal.roles.label is None:
        return ""
    return f" {spelled_duration(timedelta(microseconds=after_us))} after its row"


def roles_line(proposal: Proposal) -> str:
    """The roles in one line, and how to overrule them."""
    roles = proposal.roles
    label = "none" if roles.label is None else roles.label.name
    return (
        f"event time {roles.time.name}, event id {roles.id.name}, key {roles.key.name}, label {label}. Another one: "
        "--event-time, --event-id, --key, --label, --delay"
    )


def _left_out(names: Sequence[str], why: str) -> str:
    if len(names) == 1:
        return f"Column {names[0]} is left out: {why}."
    return f"Columns {_few(names)} are left out. Of each: {why}."


def _few(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN:,} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _arrival_note(roles: Roles) -> str:
    name = "" if roles.arrival is None else roles.arrival.name
    return (
        f"Column `{name}` says when a row became known: {roles.why['arrival']}. It is the arrival time "
        "(`--arrival`) and no field: a request cannot know it. If that is wrong, leave `--arrival` out."
    )
