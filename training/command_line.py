"""The command line of training: its commands and their options, and the settings that `--help` shows."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared_features.access.key_commands import add_key_options
from training.dataset_options import add_dataset_options
from training.inference.arguments import add_predict
from training.models.task_rules import METRIC_NAMES, is_metric
from training.registry.arguments import add_publish, add_reason, add_registry, version_number
from training.settings import describe_settings


def build_parser() -> argparse.ArgumentParser:
    """Namespaces carry `command`, and the options of that command."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train on what the stream stored, certify, publish.",
        epilog=describe_settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="all steps, from the dataset to the registry")
    dataset = commands.add_parser("dataset", help="build the training dataset only")
    leaks = commands.add_parser("leak-check", help="whether a feature knows the future: each is computed without it")
    gap = commands.add_parser("gap", help="how far what was served lies from what had happened, and why")
    for each in (run, dataset, leaks, gap):
        each.add_argument("--view", help="feature view; may be left out where there is one")
        each.add_argument("--model", help="a model of the module `models`; may be left out where its view has one")
        each.add_argument(
            "--cutoff", type=_instant, metavar="TIME", help="ignore labels that arrived after this date or time"
        )
        each.add_argument("--train-days", type=_days, metavar="N", help="default: what there is, at most 21")
        each.add_argument(
            "--delay-days", type=_days, metavar="N", help="days between training and test window; default: label delay"
        )
        each.add_argument("--test-days", type=_days, metavar="N", help="default: 7, less where history is short")
        for window in ("train", "test"):
            for end, what in (("from", "begins"), ("to", "ends: up to but not including")):
                each.add_argument(
                    f"--{window}-{end}", type=_instant, metavar="TIME", help=f"the {window} window {what}"
                )
        each.add_argument("--entity", help="entity whose precision is measured; default: that of the first group")
        each.add_argument("--seed", type=int, default=0)
    run.add_argument("--models", type=_models_option, metavar="A,B", help="candidates; default: all of the task")
    run.add_argument("--top", type=int, default=100, metavar="K", help="entities looked at per day (100)")
    _gate_options(run)
    run.add_argument(
        "--explain", action="store_true", help="say which steps would run or be skipped, and why; run nothing"
    )
    run.add_argument("--pipeline", default="", metavar="NAME", help="steps of your own, beside the definitions")
    run.add_argument(
        "--set",
        type=_step_parameter,
        action="append",
        default=[],
        metavar="STEP.NAME=VALUE",
        help="a parameter of a step of the pipeline; VALUE is JSON or a text",
    )
    run.set_defaults(models=())
    add_dataset_options(dataset, _instant, _seconds)
    commands.add_parser("serve", help="do the runs that are started or scheduled, until it is stopped")
    work = commands.add_parser(
        "work", help="do the steps of a queue for a `serve` on another machine, until it is stopped"
    )
    work.add_argument(
        "--queue", dest="queues", action="append", required=True, metavar="NAME", help="may be given several times"
    )
    work.add_argument(
        "--concurrency", type=_at_least(1), metavar="N", help="steps at once of each worker of these queues (1)"
    )
    work.add_argument(
        "--grace",
        type=_at_least(0),
        default=20,
        metavar="SECONDS",
        help="how long a stopped worker still does its steps, before they go back to their queue (20)",
    )
    start = commands.add_parser("start", help="start a durable run, which a process of `serve` does")
    start.add_argument("--template", default="retrain", help="what to run: retrain or batch-score (retrain)")
    start.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="its parameters; VALUE is JSON or a text")
    start.add_argument("--id", help="two starts with one id are one run")
    start.add_argument("--reason", default="", metavar="TEXT", help="why it is started, for people who look at it")
    start.add_argument(
        "--unless-waiting",
        action="store_true",
        help="start none if one of the same template and parameters waits; print the id of that one",
    )
    start.add_argument(
        "--wait",
        action="store_true",
        help="wait for its end; exit code 1 if it fails or is cancelled, 3 if the gate refuses its version",
    )
    add_key_options(commands.add_parser("keys", help="who may ask `serve`: make, list and withdraw API keys"))
    commands.add_parser("news", help="what failed, was refused, promoted, grew stale or was missed within a day")
    runs = commands.add_parser("runs", help="the durable runs: list, show, compare, logs, export, import")
    verbs = ("list", "show", "compare", "logs", "export", "import")
    runs.add_argument("verb", choices=verbs, nargs="?", default="list")
    names = "show RUN, compare RUN RUN, logs RUN [STEP], export RUN -o FILE, import FILE"
    runs.add_argument("names", nargs="*", metavar="NAME", help=names)
    runs.add_argument("-o", "--output", type=Path, metavar="FILE.tar.gz", help="export: the archive to write")
    runs.add_argument("--without-data", action="store_true", help="export: leave out the rows of the dataset")
    runs.add_argument("--json", action="store_true", help="as one JSON document")
    schedule = commands.add_parser("schedule", help="when runs start by themselves")
    schedule.add_argument("verb", choices=("list", "put", "remove", "pause", "resume"), nargs="?", default="list")
    schedule.add_argument("name", nargs="?", help="name of the schedule")
    schedule.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="put: parameters of its runs")
    schedule.add_argument("--cron", default="*/5 * * * *", help="put: when it ticks, minute hour day month weekday")
    schedule.add_argument("--time-zone", default="UTC", help="put: of the cron line, such as Europe/Berlin")
    schedule.add_argument("--new-labels", type=int, default=0, metavar="N", help="put: only if N labels arrived since")
    schedule.add_argument(
        "--new-partition",
        choices=("day", "hour"),
        default="",
        help="put: only if a day or an hour (UTC) with events has ended since, and is stored whole",
    )
    schedule.add_argument("--template", default="retrain", help="put: what to run: retrain or batch-score (retrain)")
    for name, what in (
        ("cancel", "end a durable run; its finished steps are kept"),
        ("resume", "continue a run that was cancelled or failed; prints the id of the run that continues it"),
    ):
        commands.add_parser(name, help=what).add_argument("id")
    _gate_options(add_publish(commands))
    audit = commands.add_parser(
        "audit", help="compute every logged prediction, or score, again, and name the cause of a difference"
    )
    audit.add_argument(
        "--scores", action="store_true", help="audit the scores that the stream job wrote to Kafka, not the log"
    )
    audit.add_argument("--new", action="store_true", help="of --scores: only what came after the audit before")
    audit.add_argument("--view", help="of --scores: a view that is scored; may be left out where one is")
    audit.add_argument("--show", type=_at_least(0), default=20, metavar="N", help="how many differences are shown (20)")
    audit.add_argument(
        "--truth", action="store_true", help="also say which predictions lack events that had happened, and why"
    )
    _leak_options(leaks)
    _gap_options(gap)
    commands.add_parser("models", help="what the registry holds, and what is defined")
    commands.add_parser("check", help="the definitions: whether each candidate can be built and exported")
    promote = commands.add_parser("promote", help="let an alias name a version")
    promote.add_argument("version", type=version_number)
    promote.add_argument("--view", help="feature view, of which there is one model")
    promote.add_argument("--model", help="the model's name, where it is not that of its view")
    promote.add_argument("--alias", help="default: champion")
    add_reason(promote)
    add_registry(commands)
    add_predict(commands, _instant, _at_least, _seconds)
    return parser


def _gate_options(of: argparse.ArgumentParser) -> None:
    of.add_argument(
        "--floor",
        type=_floor,
        action="append",
        default=[],
        metavar="METRIC=N",
        help="worst value of a metric that may become champion",
    )
    of.add_argument(
        "--gate-tolerance",
        type=_finite,
        default=0.01,
        help="by how much average precision may lie below the champion's, or RMSE above as a part of it; "
        "below 0, by how much it has to be better",
    )


def _leak_options(leaks: argparse.ArgumentParser) -> None:
    leaks.add_argument("--rows", type=_at_least(1), default=600, metavar="N", help="rows of the view to look at (600)")
    leaks.add_argument("--own", default="", metavar="MODULE:FUNCTION", help="also a function that adds columns to rows")
    leaks.add_argument(
        "--spine", type=Path, metavar="FILE", help="of --own: its rows (Parquet, CSV, JSON lines); default: the view's"
    )
    leaks.add_argument("--pipeline", default="", metavar="NAME", help="also its steps, each run some thirty times")
    leaks.add_argument("--json", action="store_true", help="as one JSON document")


def _gap_options(gap: argparse.ArgumentParser) -> None:
    gap.add_argument("--rows", type=_at_least(1), default=5_000, metavar="N", help="rows of the view to look at (5000)")
    gap.add_argument(
        "--lag",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="from an event's arrival until the online store has it",
    )
    gap.add_argument(
        "--stood-still",
        type=_instant,
        nargs=2,
        action="append",
        default=[],
        metavar=("FROM", "TO"),
        help="while the stream stood still, and had caught up at TO; may be given several times",
    )
    gap.add_argument("--fit", action="store_true", help="also fit a model on each truth, and test both as served")
    gap.add_argument("--json", action="store_true", help="as one JSON document")
    gap.add_argument("--html", type=Path, metavar="FILE", help="also write a page with a plot of the causes")


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}: give a whole number, {least} or more")
        return int(text)

    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 36_500 * 86_400:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of seconds, 0 or more")
    return seconds


def _instant(text: str) -> int:
    # Imported here: `--help` and a scheduler do not wait for numba.
    from shared_features.kernel.event_time import to_us

    try:
        instant = datetime.fromisoformat(text)
        return to_us(instant.replace(tzinfo=UTC) if len(text) == len("2026-01-31") else instant)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r}: give a date, which is its midnight UTC, or an RFC 3339 time such as 2026-01-31T00:00:00Z"
        ) from error


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of days, 0 or more")
    return days


def _floor(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if not is_metric(name):
        raise argparse.ArgumentTypeError(f"{text!r}: give METRIC=NUMBER, with a metric of {', '.join(METRIC_NAMES)}")
    return name, _finite(value)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r}: give a number")
    return number


def _step_parameter(text: str) -> tuple[str, str, Any]:
    where, equals, value = text.partition("=")
    step, dot, name = where.partition(".")
    if not (equals and dot and step and name):
        raise argparse.ArgumentTypeError(f"{text!r}: give STEP.NAME=VALUE, such as check.least=100")
    try:
        return step, name, json.loads(value)
    except json.JSONDecodeError:
        return step, name, value


def _models_option(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",")))
