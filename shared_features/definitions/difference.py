"""What changed between a definition as it was stored and as it is now, in one line that a person can act on.

A fingerprint says that something changed. The text beside it, the definition itself as canonical JSON, says what.
A text leaves out the options that have their defaults; earlier releases wrote them down. Both are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from shared_features.definitions import aggregate, event_source, feature_group, feature_view, field_types, fields
from shared_features.definitions.event_source import EventSource
from shared_features.definitions.feature_group import FeatureGroup
from shared_features.definitions.feature_view import FeatureView
from shared_features.definitions.field_types import FieldType
from shared_features.definitions.fingerprint import canonical, plain_defaults
from shared_features.kernel import aggregations
from shared_features.kernel.event_time import format_duration

Plain = Any
"""What JSON gives: a definition is [its class, its fields by name]."""

_DURATIONS = ("lateness_us", "lag_us", "tolerated_future", "tolerated_past", "delay")
_WORDS = {"lateness_us": "allowed lateness", "lag_us": "pipeline lag", "where": "conditions"}
_CANNOT_BE_TOLD = "what changed cannot be told, because another release wrote the stored definition"
_SAME_MEANING = "the meaning is the same, only the form in which definitions are stored has changed"
_MODULES = (aggregate, aggregations, event_source, feature_group, feature_view, field_types, fields)
_CLASSES = {name: each for module in _MODULES for name, each in vars(module).items() if isinstance(each, type)}


def definition_text(of: FeatureGroup | FeatureView, **also: Any) -> str:
    """A definition as it is stored beside its fingerprint; `also`: what else decides what a stored row means."""
    return canonical({**of.meaning, **also})


def difference(stored: str, now: FeatureGroup | FeatureView | str) -> str:
    """What changed since a text was stored, in one line. What it has `also` is compared with another text only."""
    is_now = _definition(now if isinstance(now, str) else definition_text(now))
    try:
        was = {name: each for name, each in _definition(stored).items() if name in is_now or isinstance(now, str)}
        changes = list(_changes(was, is_now))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return _CANNOT_BE_TOLD
    if part := is_now.get("part"):
        changes.append(f"this is number {part} of `added`, which grows at its end and keeps its order")
    return "; ".join(changes) or _SAME_MEANING


def source_text(source: EventSource) -> str:
    """An event source as it is stored beside its events."""
    return source.text


def events_difference(stored: str, source: EventSource) -> str:
    """What changed in what stored values of events mean, in one line; empty where they mean what they did.

    A field that came or went, bounds and the tolerated future change what is accepted from now on, not what is there.
    """
    if stored == source.text:
        return ""
    try:
        (_, was), (_, now) = (_complete(json.loads(text))["source"] for text in (stored, source.text))
        before, after = (dict(map(_meaning_of_values, each["fields"])) for each in (was, now))
        roles = ({role: each[role] for role in ("event_id", "event_time")} for each in (was, now))
        changes = [f"source {source.name}: {each}" for each in _changes(*roles)]
        for name in (each for each in before if each in after):
            changes += [f"source {source.name}: field {name}: {each}" for each in _of_field(before[name], after[name])]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return _CANNOT_BE_TOLD
    return "; ".join(changes)


def _definition(text: str) -> dict[str, Plain]:
    """A stored group or view with every option that its text leaves out."""
    found: dict[str, Plain] = _complete(json.loads(text))
    if "groups" not in found:
        return _defaults("FeatureGroup") | found
    groups = {name: _defaults("FeatureGroup") | each for name, each in found["groups"].items()}
    return _defaults("FeatureView") | found | {"groups": groups}


def _complete(value: Plain) -> Plain:
    """With every option that dataclasses in it leave out."""
    if isinstance(value, dict):
        return {name: _complete(each) for name, each in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        return [value[0], _defaults(value[0]) | _complete(value[1])]
    return [_complete(each) for each in value]


def _class(name: str) -> type | None:
    return _CLASSES.get(name) or {each.__name__: each for each in FieldType.__subclasses__()}.get(name)


@cache
def _defaults(class_name: str) -> dict[str, Plain]:
    known = _class(class_name)
    return plain_defaults(known) if known is not None and is_dataclass(known) else {}


def _meaning_of_values(field: Plain) -> tuple[str, Plain]:
    _, each = field
    kind, options = each["type"]
    known = _class(kind)
    meant = known.step_options if known is not None and issubclass(known, FieldType) else options
    return each["name"], {**each, "type": [kind, {option: options[option] for option in meant}]}


def _changes(was: Mapping[str, Plain], now: Mapping[str, Plain]) -> Iterator[str]:
    for name in dict.fromkeys([*was, *now]):
        before, after = was.get(name), now.get(name)
        if before != after:
            yield from _NAMED.get(name, _other)(name, before, after)


def _other(name: str, was: Plain, now: Plain) -> Iterator[str]:
    said = _WORDS.get(name, name.replace("_", " "))
    show: Callable[[Plain], str] = _duration if name in _DURATIONS else _shown
    yield f"{said}: {show(was)} -> {show(now)}"


def _shown(value: Plain) -> str:
    if isinstance(value, list):
        return f"({', '.join(map(_shown, value))})"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(value)


def _duration(us: Plain) -> str:
    return "none" if us is None else format_duration(timedelta(microseconds=us))


def _lists(what: str, was: list[str], now: list[str]) -> Iterator[str]:
    """Two lists of sentences: what went, what came, or that only the order is another one."""
    gone = [each for each in was if each not in now]
    come = [each for each in now if each not in was]
    yield from (f"{what}: {each} was removed" for each in gone)
    yield from (f"{what}: {each} was added" for each in come)
    if not gone and not come:
        yield f"{what}: in another order"


def _aggregates(name: str, was: Plain, now: Plain) -> Iterator[str]:
    before, after = _features(was), _features(now)
    hops = [each for each in before if each in after and before[each] != after[each]]
    yield from (f"aggregates: hop of {each}: {_duration(before[each])} -> {_duration(after[each])}" for each in hops)
    if before.keys() != after.keys() or not hops:
        yield from _lists("aggregates", list(before), list(after))
    if before.keys() < after.keys():
        yield "put what was added into `added` of a GrownGroup to keep the others as they are, or raise the version"


def _features(aggregates: Plain) -> dict[str, int]:
    """The hop of each feature, called as in "mean of value over 1h"."""
    found = {}
    for _, each in aggregates:
        kind, options = each["aggregation"]
        kind = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
        kind += f"({', '.join(f'{key}={value}' for key, value in options.items())})" if options else ""
        of = "" if each["column"] is None else f" of {each['column']}"
        for _, window in each["windows"]:
            found[f"{kind}{of} over {_duration(window['length'])}"] = window["hop"]
    return found


def _inside(name: str, was: Plain, now: Plain) -> Iterator[str]:
    """Of a dataclass, or of none."""
    if was is None or now is None:
        yield f"{name} were {'added' if was is None else 'removed'}"
    else:
        yield from (f"{name}: {each}" for each in _changes(was[1], now[1]))


def _groups(name: str, was: Plain, now: Plain) -> Iterator[str]:
    if list(was) != list(now):
        yield from _lists("groups", list(was), list(now))
    for group in was:
        yield from (f"group {group}: {each}" for each in _changes(was[group], now.get(group, was[group])))


def _functions(name: str, was: Plain, now: Plain) -> Iterator[str]:
    if list(was) != list(now):
        yield from _lists("on-demand functions", list(was), list(now))
    for each in (name for name in was if was[name] != now.get(name, was[name])):
        if len(was[each]) == len(now[each]):
            yield f"on-demand function {each} has changed"
        else:
            yield f"on-demand function {each}: an earlier release stored its source, which cannot be compared"


def _names(name: str, was: Plain, now: Plain) -> Iterator[str]:
    yield from _lists(name, was, now)


def _conditions(name: str, was: Plain, now: Plain) -> Iterator[str]:
    def texts(conditions: Plain) -> list[str]:
        return [f"{each['column']} {each['operator']} {each['value']!r}" for _, each in conditions]

    yield from _lists("conditions", texts(was), texts(now))


def _sources(name: str, was: Plain, now: Plain) -> Iterator[str]:
    before, after = ({each["name"]: each for _, each in sources} for sources in (was, now))
    if list(before) != list(after):
        yield from _lists("sources", list(before), list(after))
    for each in before:
        if each in after:
            yield from _of_source(before[each], after[each])


def _source(name: str, was: Plain, now: Plain) -> Iterator[str]:
    if was[1]["name"] != now[1]["name"]:
        yield f"{name}: {was[1]['name']} -> {now[1]['name']}"
    else:
        yield from _of_source(was[1], now[1])


def _of_source(was: Plain, now: Plain) -> Iterator[str]:
    about = f"source {was['name']}"
    before, after = ({each["name"]: each for _, each in source["fields"]} for source in (was, now))
    if list(before) != list(after):
        yield from _lists(f"{about}: fields", list(before), list(after))
    for field in before:
        if field in after:
            yield from (f"{about}: field {field}: {each}" for each in _of_field(before[field], after[field]))
    yield from (f"{about}: {each}" for each in _changes({**was, "fields": ()}, {**now, "fields": ()}))


def _of_field(was: Plain, now: Plain) -> Iterator[str]:
    (kind, options), (kind_now, options_now) = was["type"], now["type"]
    if kind != kind_now:
        yield f"type {kind} -> {kind_now}"
        options = options_now = {}
    more, more_now = ({"optional": each["optional"]} for each in (was, now))
    yield from (change.replace(":", "", 1) for change in _changes({**options, **more}, {**options_now, **more_now}))


_NAMED: dict[str, Callable[[str, Plain, Plain], Iterator[str]]] = {
    "aggregates": _aggregates,
    "entity": _inside,
    "features": _names,
    "functions": _functions,
    "groups": _groups,
    "labels": _inside,
    "source": _source,
    "sources": _sources,
    "spine": _source,
    "where": _conditions,
}
