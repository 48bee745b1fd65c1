"""The command line of the streaming service: its verbs, and the settings that `--help` shows."""

from __future__ import annotations

import argparse
import textwrap

from streaming.job.programs import PROGRAMS
from streaming.operations.verbs import add_operator_verbs
from streaming.settings import FILE_VARIABLE, PREFIX, StreamingSettings

_DRAIN_S = 30.0


def build_parser() -> argparse.ArgumentParser:
    """Namespaces carry `verb`, and `only`, `workers`, `drain_seconds` of run, `json`, `watch` of status;
    those of an operator's verb `module` (`operator_verbs`).
    """
    parser = argparse.ArgumentParser(
        prog="python -m streaming",
        description="Keep features warm in Redis and true to history in Delta, from events on Kafka.",
        epilog=_settings_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    run = verbs.add_parser("run", help="run all programs of the job until SIGTERM or SIGINT, then drain and exit 0")
    run.add_argument("--only", choices=tuple(PROGRAMS), help="one of them, in this process (for containers)")
    run.add_argument(
        "--workers",
        type=_at_least_one,
        metavar="N",
        help="run online, or the dataflow of --only, as N processes (one Bytewax cluster on this machine)",
    )
    run.add_argument(
        "--drain-seconds",
        type=float,
        default=_DRAIN_S,
        metavar="S",
        help=f"kill a process that has not drained S seconds after it was asked to stop (default {_DRAIN_S:g})",
    )

    status = verbs.add_parser("status", help="positions, lag, freshness, late, duplicate and dead events")
    status.add_argument("--json", action="store_true", help="for machines")
    status.add_argument("--watch", action="store_true", help="again every 2 seconds, until Ctrl-C")

    check = verbs.add_parser("check", help="look for unsafe settings of Kafka, Redis and the lake; exit code 1 if so")
    check.add_argument("--refusing-only", action="store_true", help="only say what `run` would refuse to start with")
    verbs.add_parser("bootstrap", help="build what of the online store needs building now, then exit")
    add_operator_verbs(verbs)
    verbs.add_parser("version", help="the version of Millrace and of the parts it stands on")
    return parser


def _settings_text() -> str:
    lines = [f"settings, from the environment or from the TOML file that {FILE_VARIABLE} names (without {PREFIX}):"]
    for name, field in StreamingSettings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "none" if default is None or default in ((), {}) else str(default)
        lines.append(f"  {PREFIX}{name.upper()}  [{shown}]")
        lines += textwrap.wrap(field.description or "", 100, initial_indent="      ", subsequent_indent="      ")
    lines.append("  KAFKA_BOOTSTRAP_SERVERS and REDIS_URL are read without the prefix as well.")
    return "\n".join(lines)


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; give 1 or more")
    return int(text)
