"""The verbs of the command line that a person runs by hand: what each takes, and the module that does it.

One rule for all that change something: they only show what they would do, until `--execute` is given, as Kafka's own
tools have it. What is still needed is refused then too, so a look is a rehearsal.
"""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from typing import Any

_EXECUTE = "do it; without this the command only shows what it would do"


def add_operator_verbs(verbs: Any) -> None:
    """Add them to the subparsers of `python -m streaming`. Each sets `module`: its `run(settings, options) -> int`."""
    _add_catalogue(verbs)
    _add_dead_letters(verbs)
    _add_retain(verbs)
    _add_retire(verbs)
    _add_erase(verbs)


def _add_catalogue(verbs: Any) -> None:
    catalogue = verbs.add_parser(
        "catalogue",
        help="list event sources, feature groups and feature views, and what reads them",
        description="List event sources, feature groups and feature views: fields, features, types, units, windows, "
        "versions, and what reads them. The definitions alone are read. Kafka, Redis and the lake may be down.",
    )
    catalogue.add_argument("--json", action="store_true", help="for machines")
    catalogue.set_defaults(module="streaming.operations.catalogue")


def _add_dead_letters(verbs: Any) -> None:
    letters = verbs.add_parser(
        "dead-letters", help="list, show, or replay once they are mended, records that are no event"
    )
    actions = letters.add_subparsers(dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="how many there are per reason, and the letters themselves")
    _add_filters(listing)
    listing.add_argument("--open", action="store_true", help="only what was not replayed yet")
    listing.add_argument("--counts", action="store_true", help="only the counts per reason")
    listing.add_argument("--limit", type=_at_least(0), metavar="N", help="so many letters (default 20; --json: all)")
    listing.add_argument("--json", action="store_true", help="one JSON object a line, as `replay --from` takes them")

    show = actions.add_parser("show", help="one letter whole")
    show.add_argument("position", type=_position, metavar="TOPIC:PARTITION:OFFSET")
    show.add_argument("--raw", action="store_true", help="only the bytes of its value, as they are")

    replay = actions.add_parser(
        "replay",
        help="send letters to their topic again, once per original position",
        description="Send letters to their topic again: those that are an event now, each once, whatever is killed. "
        "A letter is mended by new definitions (give nothing), by a function (--mend), or by hand (--from). One that "
        "would die again is left alone and listed with its reason. Nothing is sent until --execute is given.",
    )
    _add_filters(replay)
    mending = replay.add_mutually_exclusive_group()
    mending.add_argument(
        "--mend", metavar="MODULE:FUNCTION", help="(value: bytes, reason: str) -> bytes, or None to leave it alone"
    )
    mending.add_argument("--from", dest="edited", metavar="FILE", help="lines of `list --json`, edited; only these")
    replay.add_argument("--execute", action="store_true", help=_EXECUTE)
    for each in (listing, show, replay):
        each.set_defaults(module="streaming.operations.dead_letters.command")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--topic", help="only letters of this topic")
    parser.add_argument("--reason", metavar="PATTERN", help="only where this regular expression is found in the reason")
    parser.add_argument("--since", type=_instant, metavar="TIME", help="only what arrived at or after it (RFC 3339)")
    parser.add_argument("--until", type=_instant, metavar="TIME", help="only what arrived before it (RFC 3339)")


def _add_retain(verbs: Any) -> None:
    retain = verbs.add_parser(
        "retain",
        help="delete old days of the events tables",
        description="Delete whole days (of arrival, UTC) of the events tables. A day that a live window, a bootstrap, "
        "a pinned dataset or a hold still needs is refused, by the name of what needs it, and nothing is deleted.",
    )
    bound = retain.add_mutually_exclusive_group(required=True)
    bound.add_argument("--keep", type=_at_least(1), metavar="DAYS", help="keep so many days before today")
    bound.add_argument("--before", type=_day, metavar="DATE", help="delete the days before this one (YYYY-MM-DD)")
    retain.add_argument("--source", action="append", metavar="NAME", help="only this event source; may be repeated")
    retain.add_argument("--json", action="store_true", help="for machines")
    retain.add_argument("--execute", action="store_true", help=_EXECUTE)
    retain.set_defaults(module="streaming.operations.retention.command")


def _add_retire(verbs: Any) -> None:
    retire = verbs.add_parser(
        "retire",
        help="remove a version of a feature group that nobody reads any more",
        description="Remove a version of a feature group: its keys in Redis and its snapshots. Refused while the "
        "definitions hold it, an alias of the registry names a model that reads it, or a process writes it.",
    )
    retire.add_argument("label", metavar="NAME:vN[+M]", help="the version with its additions; +M: that addition alone")
    retire.add_argument("--spine", metavar="SOURCE", help="only its tables on this source, on which no view reads it")
    retire.add_argument("--with-rows", action="store_true", help="its feature rows too; they are kept otherwise")
    retire.add_argument("--execute", action="store_true", help=_EXECUTE)
    retire.set_defaults(module="streaming.operations.retirement.command")


def _add_erase(verbs: Any) -> None:
    erase = verbs.add_parser(
        "erase",
        help="erase entities everywhere, as the law may ask",
        description="Erase entities: their states, events, feature rows, snapshots, dead letters and rows of pinned "
        "datasets, from the tables and then from the disk. Killed half way, run it again: it goes on.",
    )
    erase.add_argument("--entity", required=True, metavar="NAME", help="the kind of entity, as the definitions call it")
    erase.add_argument(
        "--key", action="append", required=True, dest="keys", metavar="KEY",
        help="its key as the stores spell it (several fields joined by |); may be repeated",
    )  # fmt: skip
    erase.add_argument(
        "--with-log", action="store_true",
        help="then also delete from Kafka all records of its topics up to where the logs ended when this began, also "
        "those of other entities: the events tables hold them. Otherwise Kafka's retention deletes them, later",
    )  # fmt: skip
    erase.add_argument("--execute", action="store_true", help=_EXECUTE)
    erase.set_defaults(module="streaming.operations.erasure.command")


def _position(text: str) -> tuple[str, int, int]:
    topic, partition, offset = [*text.rsplit(":", 2), "", ""][:3]
    if not topic or not partition.isdecimal() or not offset.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no position; give TOPIC:PARTITION:OFFSET as `list` prints it")
    return topic, int(partition), int(offset)


def _instant(text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no RFC 3339 time, such as 2026-03-01T06:00:00Z") from error
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1_000_000)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day, such as 2026-03-01") from error


def _at_least(least: int) -> Any:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return number
