"""What `new` is asked for on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """`name`, `file`, `topic`, `directory`, `encoding`. argparse ends the program where they are wrong."""
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
    new.add_argument("--encoding", default="utf-8-sig", metavar="NAME", help="of CSV and JSON lines (default UTF-8)")
    return parser.parse_args(arguments)
