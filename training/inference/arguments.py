"""The options of `python -m training predict`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any


def add_predict(
    commands: Any,
    instant: Callable[[str], int],
    at_least: Callable[[int], Callable[[str], int]],
    seconds: Callable[[str], float],
) -> None:
    """Adds the command `predict` to those of `argparse`."""
    predict: argparse.ArgumentParser = commands.add_parser(
        "predict", help="what a model says of many rows, bit for bit as the endpoint answers"
    )
    predict.add_argument("--model", required=True, metavar="MODEL", help="its name in the registry")
    predict.add_argument("--version", metavar="VERSION", help="a number or an alias; default: champion")
    rows = predict.add_mutually_exclusive_group(required=True)
    rows.add_argument(
        "--spine", type=Path, metavar="FILE", help="entities, instants and request fields (Parquet, CSV, JSON lines)"
    )
    rows.add_argument(
        "--features", type=Path, metavar="FILE", help="rows that have the features, as `dataset --spine` writes them"
    )
    rows.add_argument("--from", dest="from_us", type=instant, metavar="TIME", help="the view's own events from then on")
    predict.add_argument("--to", dest="to_us", type=instant, metavar="TIME", help="with --from: up to, not including")
    predict.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.parquet")
    predict.add_argument(
        "--truth",
        choices=("as-served", "event-time"),
        default="as-served",
        help="of --spine: what the endpoint could have answered, or what had happened, whenever it arrived (as-served)",
    )
    predict.add_argument("--lag", type=seconds, default=0.0, metavar="SECONDS", help="of --spine, as in `dataset` (0)")
    predict.add_argument("--threads", type=at_least(1), metavar="N", help="that score; default: one for each core")
    predict.add_argument(
        "--rows-at-once", type=at_least(1), default=250_000, metavar="N", help="how many are in memory (250000)"
    )
