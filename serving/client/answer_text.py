"""The answer of an endpoint as text for people: scores and features in tables, and where each feature comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared_features.kernel.event_time import to_text

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_MOST_SHOWN = 400
Row = tuple[str, ...]


def answer_text(answer: Mapping[str, Any]) -> str:
    """The answer to a request, in lines. A dash means "missing"."""
    model, asked_us = answer["model"], answer["as_of_us"]
    several = any("as_of_us" in each for each in answer["predictions"])
    instant = f"{'request' if several else 'as'} of {to_text(asked_us)}"
    lines = [f"view {answer['view']}, model {model['name']} {model['version']}, {instant}"]
    for group, behind_s in answer["freshness_seconds"].items():
        if behind_s is None or behind_s > 0:
            lag = "not known" if behind_s is None else _age(behind_s)
            lines.append(f"group {group} lags behind that instant by: {lag}")
    for number, prediction in enumerate(answer["predictions"], 1):
        title = f"prediction {number}: " if len(answer["predictions"]) > 1 else ""
        lines += ["", *_prediction(prediction, title, asked_us if several else None)]
    return "\n".join(lines)


def problem_text(status: int, body: bytes) -> str:
    """An answer without a prediction, in the words of the endpoint."""
    try:
        problem = json.loads(body)
        return f"{problem['title']} ({status}). {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        said = " ".join(body.decode(errors="replace").split())[:_MOST_SHOWN]
        return f"The answer has status {status}, and is not one of Millrace's endpoint. Correct --url. It says: {said}"


def problem_title(body: bytes) -> str:
    """The same in its fewest words."""
    try:
        return str(json.loads(body)["title"])
    except (ValueError, KeyError, TypeError):
        return "the endpoint gives no answer"


def _prediction(prediction: Mapping[str, Any], title: str, asked_us: int | None) -> Iterator[str]:
    """asked_us: the instant of the request, where instances have instants of their own."""
    yield f"{title}{_outcome(prediction)}"
    if asked_us is not None:
        yield f"as of {_instant(prediction.get('as_of_us', asked_us), asked_us)}"
    if prediction["degraded"]:
        yield "DEGRADED: stored features could not be used"
    if prediction["missing_entities"]:
        yield f"without events of this entity: {', '.join(prediction['missing_entities'])}"
    if "explanation" in prediction:
        yield from _explanation(prediction["explanation"])
    elif "features" in prediction:
        rows = [(name, _value(value)) for name, value in prediction["features"].items()]
        yield from table(("feature", "value"), rows)


def _outcome(prediction: Mapping[str, Any]) -> str:
    if "class" in prediction:
        of_each = sorted(prediction["probabilities"].items(), key=lambda pair: -pair[1])
        return f"class {_value(prediction['class'])} ({', '.join(f'{name} {_value(each)}' for name, each in of_each)})"
    name = "value" if "value" in prediction else "score"
    decided = f", decision {'yes' if prediction['decision'] else 'no'}" if "decision" in prediction else ""
    return f"{name} {_value(prediction[name])}{decided}"


def _instant(as_of_us: int, asked_us: int) -> str:
    which = "the instant of the request" if as_of_us == asked_us else "the time of its event, which the instance names"
    return f"{to_text(as_of_us)}, {which}"


def _explanation(explanation: Mapping[str, Any]) -> Iterator[str]:
    rows: list[Row] = []
    for name, feature in explanation["features"].items():
        rows.append(_feature(name, feature))
        rows += [_feature(f"  {given}", value) for given, value in feature.get("inputs", {}).items()]
    yield from table(("feature", "value", "from", "events", "window from", "until (exclusive)", "newest event"), rows)
    for name, state in explanation["states"].items():
        yield ""
        yield from _state(name, state)


def _feature(name: str, feature: Mapping[str, Any]) -> Row:
    window = feature.get("window")
    origin = feature.get("group") or feature["origin"].replace("_", "-")
    value = _explained_value(feature)
    if window is None:
        return name, value, origin, "", "", "", ""
    edges = (to_text(window["from_us"]), to_text(window["until_us"]))
    return name, value, origin, _events(window), *edges, _newest(window)


def _explained_value(feature: Mapping[str, Any]) -> str:
    """An instant as a time. A code of a text in words: nobody reads the number, and the text is not stored."""
    if feature["origin"] == "instant" and feature["value"] is not None:
        return to_text(int(feature["value"]))
    value = "code of a text that is not stored" if feature.get("is_code") else _value(feature["value"])
    return f"{value} (never seen in training: scored as missing)" if feature.get("is_unseen") else value


def _events(window: Mapping[str, Any]) -> str:
    """How many there are, and how many have a value where some lack it."""
    with_value, events = window.get("events_with_value"), _count(window["events"])
    return events if with_value in (None, window["events"]) else f"{events} ({_count(with_value)} with a value)"


def _newest(window: Mapping[str, Any]) -> str:
    age_s, within_us = window["newest_event_age_seconds"], window["newest_event_within_us"]
    if age_s is None:
        return "-"
    if not within_us:
        return f"{_age(age_s)} before"
    return f"{_age(max(0.0, age_s - within_us / 1e6))} to {_age(age_s)} before"


def _state(name: str, state: Mapping[str, Any]) -> Iterator[str]:
    entity = ", ".join(f"{field} {value}" for field, value in state["entity"].items())
    yield f"{name}: {state['group']} of {entity}"
    yield f"  read from  {state['redis_key']}"
    if state["read_from"] == "default":
        yield f"  DEFAULT values: {state['reason']}"
    else:
        yield f"  holds      {state['head_events']} newest events one by one, and older ones in {state['tiles']} tiles"
        yield f"  newest     {to_text(state['newest_event_us'])}"
    if state["exact_from_us"] is not None:
        yield f"  exact      as of {to_text(state['exact_from_us'])} or later{_why_from(state)}"
    if shard := state.get("shard"):
        read = [f"{each['topic']}:{each['partition']} up to offset {each['offset']}" for each in shard["vector"]]
        yield f"  shard      {shard['shard']}, with the events of {', '.join(read) or 'no partition'}"


def _why_from(state: Mapping[str, Any]) -> str:
    if state["newest_event_us"] is None:
        return ""
    kept_s = (state["newest_event_us"] - state["exact_from_us"]) / 1e6
    return f": {_age(kept_s)} before the newest, the head and how far events may be dated ahead"


def table(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    """Lines with aligned columns."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _value(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) and abs(value) < 1e15 else str(value)


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _age(seconds: float) -> str:
    """A duration in the unit that suits it.

    >>> _age(0.25), _age(600), _age(5400), _age(200000)
    ('0.25 s', '10 min', '1.5 h', '2.31 d')
    """
    unit, length = next((each for each in _UNITS if seconds >= each[1]), _UNITS[-1])
    return f"{seconds / length:.3g} {unit}"
