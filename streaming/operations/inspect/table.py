"""What `inspect` found, as text for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from shared_features.kernel.event_time import spelled_duration, to_text

Told = dict[str, Any]


def inspected_text(told: Told) -> str:
    """All groups, in lines. A dash means "missing" or "not known"."""
    lines = [f"{told['entity']} {told['key']} as of {to_text(told['as_of_us'])}"]
    lines += [f"! {part}: {why}" for part, why in told["unavailable"].items()]
    for group in told["groups"]:
        lines += ["", *_group(group)]
    return "\n".join(lines)


def _group(group: Told) -> Iterator[str]:
    yield f"== {group['group']}"
    redis = group["redis"]
    if redis is not None:
        yield from _redis(redis)
    yield from _events(group["events"])
    head = ("feature", "window from", "events", "redis", "lake", "as served", "")
    rows = [
        (each["feature"], to_text(each["window_from_us"]), _value(each["events"]), _value(each["redis"]),
         _value(each["lake"]), _value(each["as_served"]), each["verdict"])
        for each in group["features"]
    ]  # fmt: skip
    yield from _table(head, rows)
    if group["as_served_lacks"] is not None:
        yield from _as_served(group["as_served_lacks"])
    differs = any(each["verdict"] == "differs" for each in group["features"])
    if differs and not group["reasons"]:
        yield "  DIFFERS without a known reason. Report it, with this output"
    yield from (f"  {'a difference can be legitimate' if differs else 'note'}: {each}" for each in group["reasons"])
    yield from (f"  note: {each}" for each in group["notes"])


def _as_served(lacks: Sequence[str]) -> Iterator[str]:
    if not lacks:
        yield "  as served: exact. The lake holds every event that had arrived by then"
    yield from (f"  as served: may not be exact, {each}" for each in lacks)


def _redis(redis: Told) -> Iterator[str]:
    yield f"  redis key {redis['key']} (shard {redis['shard']})"
    if redis["problem"]:
        yield f"  ! {redis['problem']}"
    elif not redis["found"]:
        yield "  no state: Redis has no such key, so no event of this entity is in a window"
    else:
        yield f"  newest event {to_text(redis['newest_us'])}; {len(redis['head'])} newest events are kept one by one"
        for hop, tiles in _by_hop(redis["tiles"]):
            shown = ", ".join(f"{to_text(start_us)}: {count}" for start_us, count in tiles[-5:])
            older = f"{len(tiles) - 5} older ones, and the newest: " if len(tiles) > 5 else ""
            yield f"  tiles of {hop}: {older}{shown}"
    for each in redis["vector"]:
        yield f"  applied {each['topic']}:{each['partition']} up to offset {each['offset']}"


def _by_hop(tiles: Sequence[Told]) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    for hop_us in sorted({each["hop_us"] for each in tiles}):
        of_hop = [(each["start_us"], each["events"]) for each in tiles if each["hop_us"] == hop_us]
        yield spelled_duration(timedelta(microseconds=hop_us)), of_hop


def _events(events: Sequence[Told]) -> Iterator[str]:
    if not events:
        yield "  no events of this entity that the group takes are in the lake"
        return
    rows = [
        (to_text(each["event_time_us"]), f"{each['source']} {each['partition']}:{each['offset']}",
         to_text(each["arrival_time_us"]), each["in_redis"])
        for each in events
    ]  # fmt: skip
    yield from _table(("event time", "position", "arrived", "in Redis"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _value(value: Any) -> str:
    return "-" if value is None else f"{value:.10g}"
