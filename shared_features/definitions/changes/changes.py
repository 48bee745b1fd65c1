"""Changes: each attribute of a definition that has another value now, as a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from shared_features.definitions.changes.definition_texts import Plain
from shared_features.kernel.event_time import spelled_duration

_DURATIONS = ("lateness_us", "lag_us", "tolerated_future", "tolerated_past", "head", "delay", "within")
_WORDS = {"lateness_us": "allowed lateness", "lag_us": "pipeline lag", "where": "conditions"}


def changes_between(was: Mapping[str, Plain], now: Mapping[str, Plain]) -> Iterator[str]:
    """A sentence for each attribute that differs, in the order of the attributes."""
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
    return "none" if us is None else spelled_duration(timedelta(microseconds=us))


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
    """The hop of each feature, called as in "mean of value over 1 h"."""
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
        yield from (f"{name}: {each}" for each in changes_between(was[1], now[1]))


def _labels(name: str, was: Plain, now: Plain) -> Iterator[str]:
    """Of one source, of several in order of precedence, or of none."""
    if was is None or now is None or len(_label_sources(was)) == len(_label_sources(now)) == 1:
        yield from _inside(name, was, now)
        return
    before, after = ({_label_title(each): each for _, each in _label_sources(labels)} for labels in (was, now))
    if list(before) != list(after):
        yield from _lists(name, list(before), list(after))
    for title in (each for each in before if each in after):
        yield from (f"{name} {title}: {each}" for each in changes_between(before[title], after[title]))


def _label_sources(labels: Plain) -> Plain:
    return labels if isinstance(labels[0], list) else [labels]


def _label_title(labels: Plain) -> str:
    return f"{labels['source'][1]['name']}.{_label_value(labels['value'])}"


def _groups(name: str, was: Plain, now: Plain) -> Iterator[str]:
    if list(was) != list(now):
        yield from _lists("groups", list(was), list(now))
    for group in was:
        yield from (f"group {group}: {each}" for each in changes_between(was[group], now.get(group, was[group])))


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
    yield from _lists("conditions", list(map(_condition, was)), list(map(_condition, now)))


def _condition(condition: Plain) -> str:
    _, each = condition
    return f"{each['column']} {each['operator']} {each['value']!r}"


def _label(name: str, was: Plain, now: Plain) -> Iterator[str]:
    """The value of a label: a field, a condition on one, or later events."""
    yield f"{name}: {_label_value(was)} -> {_label_value(now)}"


def _label_value(value: Plain) -> str:
    if isinstance(value, str):
        return value
    return _later_events(value[1]) if value[0] == "LaterEvents" else _condition(value)


def _later_events(each: Plain) -> str:
    met = f" with {' and '.join(map(_condition, each['where']))}" if each["where"] else ""
    of = f"{each['aggregation'][0].lower()} of {each['column'] or 'events'}{met}"
    found = f"{of} in the next {_duration(each['within'])}"
    return found if each["operator"] is None else f"{found} {each['operator']} {each['threshold']}"


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
            yield from (f"{about}: field {field}: {each}" for each in field_changes(before[field], after[field]))
    yield from (f"{about}: {each}" for each in changes_between({**was, "fields": ()}, {**now, "fields": ()}))


def field_changes(was: Plain, now: Plain) -> Iterator[str]:
    """What differs between two fields of one name: the type, its options, whether a value may be missing."""
    (kind, options), (kind_now, options_now) = was["type"], now["type"]
    if kind != kind_now:
        yield f"type {kind} -> {kind_now}"
        options = options_now = {}
    more, more_now = ({"optional": each["optional"]} for each in (was, now))
    yield from (
        change.replace(":", "", 1) for change in changes_between({**options, **more}, {**options_now, **more_now})
    )


_NAMED: dict[str, Callable[[str, Plain, Plain], Iterator[str]]] = {
    "aggregates": _aggregates,
    "entity": _inside,
    "features": _names,
    "functions": _functions,
    "groups": _groups,
    "labels": _labels,
    "source": _source,
    "sources": _sources,
    "spine": _source,
    "value": _label,
    "where": _conditions,
}
