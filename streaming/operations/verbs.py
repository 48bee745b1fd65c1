"""The verbs of the command line that a person runs by hand: the arguments of each, and the module that runs it.

Verbs that change something only show what they would do, until `--execute` is given. Kafka's own tools work the same
way. Without `--execute` they refuse the same things, so a person can rehearse first.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from streaming.operations.argument_types import EXECUTE, above_zero, at_least, day, instant, of_entity
from streaming.operations.dead_letters.arguments import add_dead_letters
from streaming.operations.file_arguments import add_reading


def add_operator_verbs(verbs: Any) -> None:
    """Add them to the subparsers of `python -m streaming`. Each sets `module`: its `run(settings, options) -> int`."""
    _add_check(verbs)
    _add_catalogue(verbs)
    _add_inspect(verbs)
    _add_history(verbs)
    _add_produce(verbs)
    add_dead_letters(verbs)
    _add_retain(verbs)
    _add_retire(verbs)
    _add_erase(verbs)


def _add_check(verbs: Any) -> None:
    check = verbs.add_parser(
        "check",
        prog="millrace check",
        help="find what is unsafe or cannot work: definitions, a file of yours, Kafka, Redis, the lake",
        description="Find what is unsafe or cannot work, before anything runs: the definitions, with each on-demand "
        "function called; with --data a file; with --measure the memory of Redis and the cost of an event; then "
        "Kafka, Redis and the lake. Nothing is changed. Exit code 1 if anything must be corrected. "
        "`millrace check-definitions` is `millrace check --definitions-only`.",
    )
    add = check.add_argument
    add("--definitions", metavar="MODULE", help="module with the definitions (default: MILLRACE_DEFINITIONS)")
    add("--definitions-only", action="store_true", help="ask no server: look at definitions and files alone")
    add("--kept-definitions", type=Path, help=argparse.SUPPRESS)  # of the stack that `millrace check` found
    add("--data", action="append", default=[], dest="files", metavar="FILE",
        help="a file that you mean to send: does it fit? With --measure: what do its entities take?")  # fmt: skip
    add("--source", action="append", default=[], metavar="NAME", help="the event source of --data")
    add("--measure", action="store_true",
        help="measure what entities take in Redis, and what an event costs; needs the compiled kernel, which takes "
        "about 2 minutes the first time")  # fmt: skip
    add("--entities", action="append", default=[], type=of_entity, metavar="[ENTITY=]N",
        help="the same for so many entities")  # fmt: skip
    add("--events-per-day", action="append", type=above_zero, metavar="R",
        help="events of one entity a day, without --data (default: 1, 10 and 100)")  # fmt: skip
    add_reading(check)
    add("--refusing-only", action="store_true", help="show only findings that keep `run` from starting")
    check.set_defaults(module="streaming.operations.check.command")


def _add_catalogue(verbs: Any) -> None:
    catalogue = verbs.add_parser(
        "catalogue",
        help="list event sources, feature groups and feature views, and what reads them",
        description="List event sources, feature groups and feature views: fields, features, types, units, windows, "
        "versions, and what reads them. The definitions alone are read. Kafka, Redis and the lake may be down.",
    )
    catalogue.add_argument("--json", action="store_true", help="print JSON")
    catalogue.set_defaults(module="streaming.operations.catalogue")


def _add_produce(verbs: Any) -> None:
    produce = verbs.add_parser(
        "produce",
        help="send the rows of a file as the events of a source, after a check of the first 10,000",
        description="Send the rows of Parquet, CSV or JSON lines files as events. History keeps its own times. The "
        "first 10,000 rows are tried first, by the reader of the stream. If a run is killed, run the command again: an "
        "event that is there already counts once. The history of several sources belongs in one command. Exit code 1 "
        "if it refuses to send; with --check-only, if a row would be a dead letter.",
    )
    add = produce.add_argument
    add("files", nargs="+", metavar="FILE", help="a .parquet, .csv, .tsv or .jsonl file; .csv.gz and .jsonl.gz too")
    add("--source", action="append", required=True, metavar="NAME",
        help="the event source; repeat it, to pair files with sources or to feed several from one file")  # fmt: skip
    pace = produce.add_mutually_exclusive_group()
    pace.add_argument("--rate", type=at_least(1), metavar="N", help="rows a second")
    pace.add_argument("--as-recorded", action="store_true", help="with the distances in time that the rows have")
    pace.add_argument("--as-fast-as-possible", action="store_true", help="the default")
    add_reading(produce)
    add("--as-live", action="store_true", help="send history into a live topic: it counts from now on")
    add("--check-only", action="store_true", help="show the check and send nothing; exit code 1 if a row is refused")
    add("--yes", action="store_true", help="send although some rows would be dead letters")
    add("--json", action="store_true", help="print one JSON document at the end; all else goes to standard error")
    produce.set_defaults(module="streaming.operations.produce.command")


def _add_inspect(verbs: Any) -> None:
    inspect = verbs.add_parser(
        "inspect",
        help="show an entity's events, tiles and features, from Redis and from the lake, side by side",
        description="Show an entity's events, tiles and features as of an instant: from Redis, and replayed from the "
        "stored events up to the offsets that Redis has applied. Exit code 1 if a feature differs without a known "
        "reason. Nothing is changed.",
    )
    inspect.add_argument("entity", metavar="ENTITY", help="the name of the entity in the definitions")
    inspect.add_argument("key", metavar="KEY", help="its key: 7, or several fields as a=1,b=x, or joined by |")
    inspect.add_argument("--as-of", type=instant, metavar="TIME", help="an instant (RFC 3339); otherwise now")
    inspect.add_argument("--group", metavar="NAME[:vN]", help="only this feature group")
    inspect.add_argument(
        "--events", type=at_least(0), default=10, metavar="N", help="show the newest N events (default 10)"
    )
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.set_defaults(module="streaming.operations.inspect.command")


def _add_history(verbs: Any) -> None:
    history = verbs.add_parser(
        "history",
        help="the features of a request as of an earlier instant, replayed from the stored events",
        description="Compute the features of a request as of any instant, by replay of the stored events: what was "
        "served then, or could have been served. Slow and exact. Redis and Kafka may be down. Exit code 1 if the lake "
        "lacks events of that time: then the values may not be exact, and the output says what is missing.",
    )
    history.add_argument("view", metavar="VIEW", help="a feature view, such as churn, or churn:v2 for that version")
    history.add_argument(
        "request", metavar="JSON",
        help="an instance, a list of instances, or a whole request, as `predict` takes it. @FILE reads a file",
    )  # fmt: skip
    history.add_argument(
        "--as-of", type=instant, metavar="TIME",
        help="the instant (RFC 3339, or microseconds since 1970). Otherwise that of the request, or of each instance's "
        "event",
    )  # fmt: skip
    history.add_argument("--json", action="store_true", help="print JSON")
    history.set_defaults(module="streaming.operations.history.command")


def _add_retain(verbs: Any) -> None:
    retain = verbs.add_parser(
        "retain",
        help="delete old days of the events tables",
        description="Delete whole days (of arrival, UTC) of the events tables. If a live window, a bootstrap, a "
        "dataset or a hold still needs one of the days, nothing is deleted, and the output names what needs the day.",
    )
    bound = retain.add_mutually_exclusive_group(required=True)
    bound.add_argument("--keep", type=at_least(1), metavar="DAYS", help="keep this many days before today")
    bound.add_argument("--before", type=day, metavar="DATE", help="delete the days before DATE (YYYY-MM-DD)")
    retain.add_argument("--source", action="append", metavar="NAME", help="only this event source; may be repeated")
    retain.add_argument("--json", action="store_true", help="print JSON")
    retain.add_argument("--execute", action="store_true", help=EXECUTE)
    retain.set_defaults(module="streaming.operations.retention.command")


def _add_retire(verbs: Any) -> None:
    retire = verbs.add_parser(
        "retire",
        help="remove a version of a feature group that nobody reads any more",
        description="Remove a version of a feature group: its keys in Redis and its snapshots. Refused while the "
        "definitions hold the version, an alias of the registry names a model that reads it, or a process writes it.",
    )
    retire.add_argument("label", metavar="NAME:vN[+M]", help="a version with its additions; with +M only that addition")
    retire.add_argument(
        "--spine", metavar="SOURCE", help="only the tables on this source, if no view reads the version there"
    )
    retire.add_argument("--with-rows", action="store_true", help="remove the feature rows too; otherwise they are kept")
    retire.add_argument("--execute", action="store_true", help=EXECUTE)
    retire.set_defaults(module="streaming.operations.retirement.command")


def _add_erase(verbs: Any) -> None:
    erase = verbs.add_parser(
        "erase",
        help="erase entities everywhere, as the law may require",
        description="Erase entities: their states, events, feature rows, snapshots, dead letters and rows of pinned "
        "datasets, from the tables and then from the disk. If a run is killed, run the command again: it continues.",
    )
    erase.add_argument("--entity", required=True, metavar="NAME", help="the name of the entity in the definitions")
    erase.add_argument(
        "--key", action="append", required=True, dest="keys", metavar="KEY",
        help="the key of the entity (several fields joined by |); may be repeated",
    )  # fmt: skip
    erase.add_argument(
        "--with-log", action="store_true",
        help="then also delete from Kafka all records that its topics held when the command began, those of other "
        "entities too (the events tables hold them). Otherwise Kafka's retention deletes the records later",
    )  # fmt: skip
    erase.add_argument("--execute", action="store_true", help=EXECUTE)
    erase.set_defaults(module="streaming.operations.erasure.command")
