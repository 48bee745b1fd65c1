"""The options that only the command `dataset` has."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

PREDICTION_LOG = "prediction-log"
"""As `--spine`: not a file."""
VERBS = ("build", "rebuild", "pin", "unpin")


def add_dataset_options(
    dataset: argparse.ArgumentParser, instant: Callable[[str], int], seconds: Callable[[str], float]
) -> None:
    """To its parser, which has the windows and the view already. instant: reads a time; seconds: how long."""
    dataset.add_argument(
        "verb",
        choices=VERBS,
        nargs="?",
        default="build",
        help="rebuild: build DIR again and compare it bit for bit; pin, unpin: hold back what deletes what it needs",
    )
    dataset.add_argument("directory", type=Path, nargs="?", metavar="DIR", help="an exported dataset")
    dataset.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="export the dataset to this directory, with all that rebuilds it; FILE.parquet: only its table",
    )
    dataset.add_argument("--pin", action="store_true", help="with --output DIR: pin it at once")
    for end, what in (("from", "begins"), ("to", "ends: up to but not including")):
        dataset.add_argument(
            f"--{end}",
            dest=f"range_{end}",
            type=instant,
            metavar="TIME",
            help=f"all events of a span, labelled or not, which {what} here",
        )
    dataset.add_argument(
        "--spine",
        type=Path,
        metavar="FILE",
        help="instead, features of the entities and instants in this file (Parquet, CSV, JSON lines), into --output; "
        f"{PREDICTION_LOG}: the predictions of the view that were logged, with the features that their model saw",
    )
    dataset.add_argument(
        "--truth",
        choices=("as-served", "event-time"),
        default="as-served",
        help="of --spine: what the endpoint could have answered, or what had happened, whenever it arrived (as-served)",
    )
    dataset.add_argument(
        "--lag",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="of --spine, as served: from the arrival of an event until the online store has it (0)",
    )
    dataset.add_argument("--label", default="", metavar="COLUMN", help="of --spine: the column that is its label")
    dataset.add_argument(
        "--with-labels",
        action="store_true",
        help="of --spine: join the labels of the view, as they had arrived by --cutoff, as a column `label`",
    )
    dataset.add_argument(
        "--split",
        default="",
        metavar="HOW",
        help="of all events of a span and of --spine: entity[:NAME], stratified[:COLUMN], folds:K, "
        "sliding-folds:K or column:NAME",
    )
    dataset.add_argument(
        "--test-share",
        type=float,
        default=0.25,
        metavar="N",
        help="of --split entity and stratified: the part of the entities, or of each class (0.25)",
    )
