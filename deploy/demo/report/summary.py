"""The summary: what happened to every event, how good the model is, what was predicted, and how to continue."""

from __future__ import annotations

import json
import shlex
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.demo.report.facts import Facts
from deploy.demo.report.summary_rows import event_rows, model_rows, parity_rows, place_rows, prediction_rows
from deploy.demo.stage.stage import Stage, shown
from deploy.demo.traffic.prediction_client import PATH

_MAIN_FEATURES = (
    "amount",
    "customer_spend__amount_count_7d",
    "customer_spend__amount_mean_30d",
    "amount_over_mean_7d",
    "customer_places__terminal_id_approx_distinct_7d",
    "terminal_risk__is_fraud_count_30d",
    "terminal_risk__is_fraud_mean_30d",
    "is_other_terminal",
)


def show_summary(console: Console, stage: Stage, facts: Facts, *, stays: bool) -> None:
    """Print it."""
    console.print()
    console.rule(f"What happened in {facts['seconds']:.0f} seconds")
    for title, rows in (
        ("events", event_rows(facts)),
        ("model", model_rows(facts["model"])),
        ("parity", parity_rows(facts)),
        ("predictions", prediction_rows(facts["predictions"], own_times=facts["live"]["own_times"])),
        ("time", [("by phase", ", ".join(f"{name} {took:.1f} s" for name, took in facts["phase_seconds"].items()))]),
        ("where", place_rows(stage.directory)),
    ):
        _print_part(console, title, rows)
    for each in facts["predictions"]["shown"]:
        _print_prediction(console, each)
    _print_commands(console, stage, facts, stays=stays)


def show_what_stays(console: Console, stage: Stage, *, own_times: bool) -> None:
    now = "the whole file has been streamed" if own_times else "live traffic continues"
    console.print("\n[dim]# a retraining begins each minute; its runs, models and schedule are shown at[/]")
    _plain(console, stage.runs_url)
    console.print(f"\n[bold]Everything stays up, {now}. Ctrl-C ends it.[/]")


def _print_part(console: Console, title: str, rows: Any) -> None:
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(style="bold cyan", width=12)
    table.add_column(style="bold", min_width=12)
    table.add_column(overflow="fold")
    for at, (name, text) in enumerate(rows):
        table.add_row(title if at == 0 else "", name, text)
    console.print(table)
    console.print()


def _print_prediction(console: Console, each: Facts) -> None:
    table = Table(box=None, show_header=False, padding=(0, 1), title_justify="left")
    table.add_column(style="bold cyan", width=12)
    table.add_column(overflow="fold")
    instance = ", ".join(f"{name} {value}" for name, value in each["request"]["instances"][0].items())
    model = each["model"]
    table.add_row(
        "prediction", f"[bold]{each['score']:.4f}[/]  {instance}  [dim]({model['name']} {model['version']})[/]"
    )
    features = [(name, each["features"][name]) for name in _MAIN_FEATURES if name in each["features"]]
    table.add_row("", "; ".join(f"{name} {_number(value)}" for name, value in features))
    receipt = each["receipt"]
    positions = [
        f"{shard['group']} shard {shard['shard']} " + "+".join(str(at["offset"]) for at in shard["vector"])
        for shard in receipt["shards"]
    ]
    table.add_row("", f"[dim]receipt {receipt['digest'][:16]}: {', '.join(positions)}[/]")
    console.print(table)


def _print_commands(console: Console, stage: Stage, facts: Facts, *, stays: bool) -> None:
    console.print("\n[bold cyan]Continue by hand[/]")
    commands = [f". {shown(stage.directory.environment_file)}"]
    if stays:
        console.print("[dim]# while it runs:[/]")
        _plain(console, _curl(stage, facts))
        commands += ["./run exec python -m streaming status"]
    else:
        console.print(
            "[dim]# ./run demo --stay keeps everything running and prints a curl that works. The stored data remain:[/]"
        )
    commands += ["./run exec python -m training run", "./run exec python -m training models"]
    for command in commands:
        _plain(console, command)


def _curl(stage: Stage, facts: Facts) -> str:
    last = facts["predictions"]["shown"][0]["request"]
    body = {**last, "include_features": True}
    url = f"{stage.parts.remembered.serving_url}{PATH}"
    return f"curl -s {url} -H 'content-type: application/json' -d {shlex.quote(json.dumps(body))}"


def _plain(console: Console, text: str) -> None:
    """To be copied: neither wrapped nor marked up."""
    console.print(text, markup=False, soft_wrap=True)


def _number(value: float | str | None) -> str:
    return "missing" if value is None else f"{value:.4g}" if isinstance(value, float | int) else value
