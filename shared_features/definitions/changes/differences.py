"""What changed between a definition as it was stored and as it is now, in one line that a person can act on.

A fingerprint says that something changed. The text beside it, the definition itself as canonical JSON, says what.
"""

from __future__ import annotations

from shared_features.definitions.changes.changes import changes_between, field_changes
from shared_features.definitions.changes.definition_texts import (
    Plain,
    definition_class,
    definition_text,
    read_definition,
    read_source,
)
from shared_features.definitions.field_types import FieldType
from shared_features.definitions.groups.feature_group import FeatureGroup
from shared_features.definitions.sources.event_source import EventSource
from shared_features.definitions.views.feature_view import FeatureView

_CANNOT_BE_TOLD = "what changed cannot be told, because another release wrote the stored definition"
_SAME_MEANING = "the meaning is the same, only the form in which definitions are stored has changed"


def difference(stored: str, now: FeatureGroup | FeatureView | str) -> str:
    """What changed since a text was stored, in one line. What it has `also` is compared with another text only."""
    is_now = read_definition(now if isinstance(now, str) else definition_text(now))
    try:
        was = {name: each for name, each in read_definition(stored).items() if name in is_now or isinstance(now, str)}
        changes = list(changes_between(was, is_now))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return _CANNOT_BE_TOLD
    if part := is_now.get("part"):
        changes.append(f"this is number {part} of `added`, which grows at its end and keeps its order")
    return "; ".join(changes) or _SAME_MEANING


def events_difference(stored: str, source: EventSource) -> str:
    """What changed in what stored values of events mean, in one line; empty where they mean what they did.

    A field that came or went, bounds and the tolerated future change what is accepted from now on, not what is there.
    """
    if stored == source.text:
        return ""
    try:
        was, now = read_source(stored), read_source(source.text)
        before, after = (dict(map(_meaning_of_values, each["fields"])) for each in (was, now))
        roles = ({role: each[role] for role in ("event_id", "event_time")} for each in (was, now))
        changes = [f"source {source.name}: {each}" for each in changes_between(*roles)]
        for name in (each for each in before if each in after):
            changes += [
                f"source {source.name}: field {name}: {each}" for each in field_changes(before[name], after[name])
            ]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return _CANNOT_BE_TOLD
    return "; ".join(changes)


def _meaning_of_values(field: Plain) -> tuple[str, Plain]:
    _, each = field
    kind, options = each["type"]
    known = definition_class(kind)
    meant = known.step_options if known is not None and issubclass(known, FieldType) else options
    return each["name"], {**each, "type": [kind, {option: options[option] for option in meant}]}
