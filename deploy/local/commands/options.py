"""What `up`, `down` and `status` are asked for on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

DIRECTORY = Path("var") / "stack"

_UP_EPILOG = """\
KAFKA_BOOTSTRAP_SERVERS and REDIS_URL, where set, are used in place of the embedded parts. Every other setting of
Millrace (MILLRACE_...) is handed on, except those that the stack chooses itself: addresses, folders, the topic mode.

The data stay in the directory: `up` after `down` continues with them. The simulated Kafka alone forgets its records
when it ends. By then they are in the lake and in Redis, because `down` waits for that.
"""


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """`verb`, `directory`, and the options of that verb. argparse ends the program where they are wrong."""
    parser = argparse.ArgumentParser(
        prog="millrace", description="Everything that the definitions need, on this machine."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    up = verbs.add_parser(
        "up",
        help="start everything that the definitions need",
        description="Start everything that the definitions need on this machine: Kafka, Redis, the topics, the stream "
        "job, training and the endpoint.",
        epilog=_UP_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    up.add_argument(
        "--definitions",
        metavar="MODULE",
        help="module with the definitions (default: that of the directory, else MILLRACE_DEFINITIONS, else the cards "
        "of the demo)",
    )
    up.add_argument("--kafka", action="store_true", help="Apache Kafka itself, not the simulator (java 17+ and mvn)")
    up.add_argument("--detach", action="store_true", help="return when everything is up; `down` ends it")
    up.add_argument(
        "--port", type=_port, metavar="N", help="port of the endpoint (default: the earlier one, else a free one)"
    )
    up.add_argument("--as-supervisor", action="store_true", help=argparse.SUPPRESS)
    down = verbs.add_parser("down", help="end everything that `up` started here; the data stay")
    status = verbs.add_parser("status", help="show where every part stands")
    status.add_argument("--json", action="store_true", help="print JSON")
    status.add_argument("--watch", action="store_true", help="a page that is drawn again every 2 seconds, until Ctrl-C")
    for each in (up, down, status):
        each.add_argument(
            "--directory", type=Path, default=DIRECTORY, metavar="DIR", help=f"where its data are (default {DIRECTORY})"
        )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 1 to 65535")
    return int(text)
