"""The command line of the streaming service: its verbs, and the settings that `--help` shows."""

from __future__ import annotations

import argparse
import textwrap

from shared_features.settings.setting_names import FILE_VARIABLE, PREFIX
from streaming.job.programs import PROGRAMS
from streaming.operations.argument_types import at_least
from streaming.operations.verbs import add_operator_verbs
from streaming.settings import StreamingSettings

_DRAIN_S = 30.0


def build_parser() -> argparse.ArgumentParser:
    """Namespaces carry `verb`, and `only`, `workers`, `drain_seconds` of run, `json`, `watch` of status;
    those of an operator's verb `module` (`operator_verbs`).
    """
    parser = argparse.ArgumentParser(
        prog="python -m streaming",
        description="Compute features from events on Kafka: keep them up to date in Redis, and write their history to "
        "Delta.",
        epilog=_settings_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    run = verbs.add_parser("run", help="run all programs of the job. SIGTERM or SIGINT drains and stops them")
    run.add_argument("--only", choices=tuple(PROGRAMS), help="run only this program, in this process (for containers)")
    run.add_argument(
        "--workers",
        type=at_least(1),
        metavar="N",
        help="number of processes of online, or of the dataflow of --only (one Bytewax cluster on this machine)",
    )
    run.add_argument(
        "--drain-seconds",
        type=float,
        default=_DRAIN_S,
        metavar="S",
        help=f"seconds to drain after a request to stop; then the process is killed (default {_DRAIN_S:g})",
    )

    status = verbs.add_parser(
        "status", help="show where every part stands: positions, lag, freshness, late and duplicate events"
    )
    status.add_argument("--json", action="store_true", help="print JSON")
    status.add_argument("--watch", action="store_true", help="a page that is drawn again every 2 seconds, until Ctrl-C")

    verbs.add_parser("bootstrap", help="build the shards of the online store that need building, then exit")
    add_operator_verbs(verbs)
    verbs.add_parser("version", help="show the versions of Millrace and of its main libraries")
    return parser


def _settings_text() -> str:
    lines = [f"settings, from the environment or, without {PREFIX}, from the TOML file that {FILE_VARIABLE} names:"]
    for name, field in StreamingSettings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "none" if default is None or default in ((), {}) else str(default)
        lines.append(f"  {PREFIX}{name.upper()}  [{shown}]")
        lines += textwrap.wrap(field.description or "", 100, initial_indent="      ", subsequent_indent="      ")
    lines.append("  KAFKA_BOOTSTRAP_SERVERS and REDIS_URL are read without the prefix as well.")
    return "\n".join(lines)
