"""What the demo is asked for on its command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).parents[2]

_EPILOG = """\
The history ends now; live traffic follows it at --rate, by the wall clock. With --data the history has the file's own
times, its last part is held back and streamed at --rate, each transaction right after its prediction; nothing comes
late, twice or malformed then, unless --late, --duplicate or --malformed ask for it.

KAFKA_BOOTSTRAP_SERVERS and REDIS_URL, where set, are used in place of the embedded parts.
"""
_SHARES = {"late": 0.01, "duplicate": 0.005, "malformed": 0.001}


@dataclass(frozen=True)
class DemoOptions:
    """data: a file of transactions in place of the generator. runs: where the directories of the runs lie.

    late, duplicate, malformed: shares of the transactions. held_back: of a file, its last transactions.
    """

    stay: bool
    data: Path | None
    kafka: bool
    customers: int
    days: int
    seed: int
    rate: float
    late: float
    duplicate: float
    malformed: float
    live_seconds: float
    held_back: int
    json: Path | None
    runs: Path


def parse_options(arguments: Sequence[str] | None = None) -> DemoOptions:
    """The options; argparse ends the program where they are wrong."""
    given = _parser().parse_args(arguments)
    for name, share in _SHARES.items():
        if getattr(given, name) is None:
            setattr(given, name, share if given.data is None else 0.0)
    for name in ("data", "json", "runs"):  # the services run in the project's directory, the user may be elsewhere
        if (path := getattr(given, name)) is not None:
            setattr(given, name, path.resolve())
    return DemoOptions(**{field.name: getattr(given, field.name) for field in fields(DemoOptions)})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run demo",
        description="Events to predictions on this machine: stream, train, serve, predict, and sum up what happened.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--stay",
        action="store_true",
        help="leave everything up after the summary and retrain each minute, until Ctrl-C",
    )
    add("--data", type=_file, metavar="FILE", help="a Parquet file of transactions in place of the generator")
    add("--kafka", action="store_true", help="Apache Kafka itself in place of the simulator (needs java 17+ and mvn)")
    add("--customers", type=_count, default=1_700, metavar="N", help="customers of the generator (default 1,700)")
    add("--days", type=_days, default=60, metavar="N", help="days of generated history, 17 or more (default 60)")
    add("--seed", type=int, default=1, metavar="N", help="one seed, one history (default 1)")
    add("--rate", type=_rate, default=50.0, metavar="N", help="live transactions a second (default 50)")
    for name, meaning in (
        ("late", "minutes to days late"),
        ("duplicate", "twice"),
        ("malformed", "beside a malformed one"),
    ):
        add(f"--{name}", type=_share, metavar="SHARE", help=f"share that comes {meaning} (default {_SHARES[name]})")
    add("--live-seconds", type=float, default=15.0, metavar="S", help="how long predictions are asked for (default 15)")
    add("--held-back", type=_count, default=1_000, metavar="N", help="last transactions of a file (default 1,000)")
    add("--json", type=Path, metavar="FILE", help="write the summary's facts there as well")
    add("--runs", type=Path, default=ROOT / "var" / "demo", metavar="DIR", help="where runs are kept (var/demo)")
    return parser


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"There is no file {text}. Give the path of a Parquet file")
    return path


def _count(text: str) -> int:
    return int(_number(text, int(text) >= 1, "a whole number, 1 or more"))


def _days(text: str) -> int:
    # Seven days until labels are known, a gap of seven, and something on both sides of it.
    return int(_number(text, 17 <= int(text) <= 3_650, "17 to 3650 days: labels become known after 7 of them"))


def _rate(text: str) -> float:
    return _number(text, 0 < float(text) <= 20_000, "transactions a second, above 0, up to 20,000")


def _share(text: str) -> float:
    return _number(text, 0 <= float(text) <= 1, "a share from 0 to 1")


def _number(text: str, fits: bool, wanted: str) -> float:
    if not fits:
        raise argparse.ArgumentTypeError(f"{text}: give {wanted}")
    return float(text)
