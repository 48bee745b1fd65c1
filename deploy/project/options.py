"""What `new` is asked for on the command line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_UNITS = {"s": SECOND_US, "m": MINUTE_US, "min": MINUTE_US, "h": HOUR_US, "d": DAY_US}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)")


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """`name`, `file`, `topic`, `directory`, `encoding`, `wishes`. argparse ends the program where they are wrong."""
    parser = argparse.ArgumentParser(prog="millrace", description="Write a package of definitions to start from.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    new = verbs.add_parser(
        "new",
        help="write a package of definitions",
        description="Write a package of definitions, a README with the next commands, and a test. With --from the "
        "first 10,000 rows of a file are looked at, with --topic the records of a topic; comments say what was guessed "
        "and why. Without both the package is "
        "the example of a web shop, with data to try it.",
    )
    new.add_argument("name", metavar="NAME", help="name of the package, such as my_shop")
    origin = new.add_mutually_exclusive_group()
    origin.add_argument(
        "--topic", metavar="NAME", help="a topic of the Kafka at KAFKA_BOOTSTRAP_SERVERS: its newest 10,000 records"
    )
    origin.add_argument(
        "--from", dest="file", type=Path, metavar="FILE", help="a .parquet, .csv, .tsv or .jsonl file; .gz too"
    )
    new.add_argument(
        "--directory", type=Path, default=Path(), metavar="DIR", help="where the package is written (default: here)"
    )
    said = new.add_argument_group("where a guess would be another one (a column of the file, or its field)")
    said.add_argument("--event-time", metavar="COLUMN", help="when an event happened")
    said.add_argument("--event-id", metavar="COLUMN", help="what names an event")
    said.add_argument(
        "--key",
        action="append",
        dest="keys",
        default=[],
        metavar="COLUMN",
        help="what the features are about, such as customer or host.name",
    )
    label = said.add_mutually_exclusive_group()
    label.add_argument("--label", metavar="COLUMN", help="the outcome: true or false, a number, or one of a few texts")
    label.add_argument("--no-label", action="store_true", help="no column is the outcome")
    said.add_argument(
        "--delay", type=_length, metavar="LENGTH", help="how long it takes until an outcome is known, such as 30h or 7d"
    )
    new.add_argument("--encoding", default="utf-8-sig", metavar="NAME", help="of CSV and JSON lines (default UTF-8)")
    options = parser.parse_args(arguments)
    key = _one_key(new, options.keys)
    from deploy.project.wishes import Wishes  # only now: --help does not wait for what reads files

    options.wishes = Wishes(options.event_time, options.event_id, key, options.label, options.no_label, options.delay)
    if options.wishes != Wishes() and options.file is None and options.topic is None:
        new.error("--event-time, --event-id, --key, --label, --no-label and --delay are about a file or a topic: give "
                  "--from or --topic")  # fmt: skip
    return options


def _one_key(new: argparse.ArgumentParser, keys: list[str]) -> str | None:
    if len(keys) > 1:
        new.error(
            f"--key was given {len(keys)} times ({', '.join(keys)}), and the package is about one entity. "
            f"Write --key {keys[0]}, and add the other entities and their groups to features.py by hand: "
            "docs/definitions.md shows how"
        )
    return keys[0] if keys else None


def _length(text: str) -> int:
    """Microseconds."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a length of time; give one such as 90s, 15min, 30h or 7d")
    return round(float(found[1]) * _UNITS[found[2]])
