"""The arguments that say how a file of rows is read: of `produce`, and of `check`."""

from __future__ import annotations

import argparse

from streaming.operations.argument_types import at_least, instant

NOW = -1
"""The value of --move-to that --move-to-now gives."""


def add_reading(parser: argparse.ArgumentParser) -> None:
    """What the columns mean, and how many rows are read."""
    add = parser.add_argument
    add("--arrival", action="append", default=[], metavar="[SOURCE=][COLUMN][+TIME]",
        help="when a row became known: a column, or a time such as +30min, +1h, +14d after the event time or after the "
        "column (default: the event time)")  # fmt: skip
    add("--map", action="append", default=[], metavar="[SOURCE.]FIELD=COLUMN",
        help="the column of a field, where their names differ")  # fmt: skip
    add("--rows", type=at_least(1), metavar="N", help="only the first N rows of each file")
    add("--timezone", default="UTC", metavar="ZONE", help="the zone of times that name none (default UTC)")
    add("--epoch", choices=("s", "ms", "us", "ns"), help="the unit of times that are numbers (default: by their size)")
    add("--decimal-comma", action="store_true", help="numbers are written as 12,50 or 1.234,50")
    add("--encoding", default="utf-8-sig", metavar="NAME", help="of CSV and JSON lines (default UTF-8)")
    moved = parser.add_mutually_exclusive_group()
    moved.add_argument("--move-days", type=int, default=0, metavar="N",
        help="move all times by whole days, for old history")  # fmt: skip
    moved.add_argument("--move-to", type=instant, metavar="TIME",
        help="move all times by as much, so that the newest row of all files is of then (RFC 3339)")  # fmt: skip
    moved.add_argument("--move-to-now", dest="move_to", action="store_const", const=NOW,
        help="the same, to this second")  # fmt: skip
