"""The arguments of `dead-letters list`, `show` and `replay`."""

from __future__ import annotations

import argparse
from typing import Any

from streaming.operations.argument_types import EXECUTE, at_least, instant, position


def add_dead_letters(verbs: Any) -> None:
    """Add the verb and its actions to the subparsers of `python -m streaming`."""
    letters = verbs.add_parser("dead-letters", help="list, show and replay records that are not acceptable events")
    actions = letters.add_subparsers(dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="show the number of letters per reason, and the letters")
    _add_filters(listing)
    listing.add_argument("--open", action="store_true", help="only letters that were not replayed yet")
    listing.add_argument("--counts", action="store_true", help="only the counts per reason")
    listing.add_argument(
        "--limit", type=at_least(0), metavar="N", help="show at most N letters (default 20; --json: all)"
    )
    listing.add_argument(
        "--json", action="store_true", help="print one JSON object per line, as `replay --from` reads them"
    )

    show = actions.add_parser("show", help="show one complete letter")
    show.add_argument("position", type=position, metavar="TOPIC:PARTITION:OFFSET")
    show.add_argument("--raw", action="store_true", help="print only the bytes of its value")

    replay = actions.add_parser(
        "replay",
        help="send letters to their topic again, each once",
        description="Send the letters that are acceptable events now to their topic again. Each is sent only once, "
        "even if a run is killed. A letter is mended by new definitions (no option), by a function (--mend), or by "
        "hand (--from). A letter that is still not acceptable is left alone and listed with its reason. Nothing is "
        "sent without --execute.",
    )
    _add_filters(replay)
    mending = replay.add_mutually_exclusive_group()
    mending.add_argument(
        "--mend",
        metavar="MODULE:FUNCTION",
        help="function (value: bytes, reason: str) -> bytes, or None to leave the letter alone",
    )
    mending.add_argument(
        "--from", dest="edited", metavar="FILE", help="edited lines of `list --json`; only these letters"
    )
    replay.add_argument("--execute", action="store_true", help=EXECUTE)
    for each in (listing, show, replay):
        each.set_defaults(module="streaming.operations.dead_letters.command")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--topic", help="only letters of this topic")
    parser.add_argument("--reason", metavar="PATTERN", help="only letters whose reason matches this regular expression")
    parser.add_argument(
        "--since", type=instant, metavar="TIME", help="only letters that arrived at or after TIME (RFC 3339)"
    )
    parser.add_argument(
        "--until", type=instant, metavar="TIME", help="only letters that arrived before TIME (RFC 3339)"
    )
