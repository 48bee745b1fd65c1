"""The summary: what happened to every event, how good the model is, what was predicted, and how to continue."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.demo.report.facts import Facts
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
        ("events", _event_rows(facts)),
        ("model", _model_rows(facts["model"])),
        ("parity", _parity_rows(facts)),
        ("predictions", _prediction_rows(facts["predictions"], own_times=facts["live"]["own_times"])),
        ("time", [("by phase", ", ".join(f"{name} {took:.1f} s" for name, took in facts["phase_seconds"].items()))]),
        ("where", _place_rows(stage)),
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


def _event_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    events, history = facts["events"], facts["history"]
    sent = events["sent"]
    live = facts["live"]
    yield (
        "streamed",
        f"{sent['records']:,}: {history['records']:,} of history at {history['records_per_second']:,.0f}/s, then "
        f"{live['records']:,} {'held back' if live['own_times'] else 'live'}",
    )
    stored = ", ".join(f"{each['events']:,} {name.replace('_', ' ')}" for name, each in events["stored"].items())
    yield "stored", f"{stored}; {events['duplicates']:,} further deliveries of one of them"
    yield "late", f"{events['late']:,} transactions more than 10 minutes after they happened; each corrected its tiles"
    yield "duplicates", f"{events['duplicates']:,} came again; stored, counted in no feature"
    yield "rejected", f"{events['dead']:,} kept as dead letters with reason and position"
    for kind, each in events["dead_letters"].items():
        yield "", f"[dim]{each['count']:>5,}  {_escaped(kind)}[/]"
    verdict = "[green]every one of them is accounted for[/]" if events["accounted_for"] else "[red]these disagree[/]"
    yield (
        "sent = found",
        f"{sent['records']:,} sent = {events['accepted']:,} accepted + {events['dead']:,} rejected; late "
        f"{sent['late']:,} = {events['late']:,}, duplicate {sent['duplicates']:,} = {events['duplicates']:,}: "
        f"{verdict}",
    )
    rows = ", ".join(
        f"{each['rows']:,} of {name.removeprefix('features_').partition('_on_')[0]}"
        for name, each in events["feature_rows"].items()
    )
    yield "feature rows", f"{rows}; those of the last 10 minutes follow when nothing can be late for them any more"


def _model_rows(model: Facts) -> Iterator[tuple[str, str]]:
    rows = model["rows"]
    counts = ", ".join(
        f"{name} {rows[name]['labelled']:,} ({rows[name]['positive']:,} fraud)" for name in ("train", "gap", "test")
    )
    yield "rows", f"{counts}; {model['features']} features"
    for name, metrics in model["models"].items():
        measured = ", ".join(f"{key.replace('_', ' ')} {value:.3f}" for key, value in metrics.items())
        chosen = f"  [green]<- version {model['version']}, chosen by {model['chosen_by']}[/]"
        yield name.replace("_", " "), measured + (chosen if name == model["chosen"] else "")


def _parity_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    parity, replayed = facts["model"]["parity"], facts["predictions"]["features_replayed"]
    yield (
        "trained = served",
        f"{_verdict(parity['ok'])}: estimator against ONNX over {parity['cases']:,} rows, worst difference "
        f"{parity['worst_difference']:.1e}; on-demand functions over {parity['on_demand_cases']:,} values, equal to "
        "the bit",
    )
    yield (
        "served = lake",
        f"{_verdict(replayed['ok'])}: the features of {replayed['equal']:,} of {replayed['checked']:,} predictions, "
        f"computed again from the stored events up to the positions in their receipts, are equal to the bit",
    )
    for text in replayed["differences"][:5]:
        yield "", f"[red]{_escaped(text)}[/]"


def _prediction_rows(predictions: Facts, *, own_times: bool) -> Iterator[tuple[str, str]]:
    refused = "".join(f"; {count} refused: {_escaped(reason)}" for reason, count in predictions["refused"].items())
    yield (
        "answered",
        f"{predictions['answered']:,}, each asked right before its transaction was streamed; "
        f"{predictions['unknown_entities']:,} with an unknown customer or terminal{refused}",
    )
    latency = predictions["latency_seconds"]
    yield "latency", ", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in latency.items())
    fresh = predictions["freshness_seconds"]
    behind = [f"{name.removesuffix(' behind')} {each:.2f} s" for name, each in fresh.items() if name.endswith("behind")]
    if not own_times:  # the file's times lie in the past: no store can be behind them
        yield "freshness", f"the online store was behind by (median) {', '.join(behind)}"
    ages = [
        f"{name.removesuffix(' newest event')} {_duration(each)}" for name, each in fresh.items() if "newest" in name
    ]
    yield "feature age", f"the newest event behind a feature was (median) {', '.join(ages)} old"
    yield "score", ", ".join(f"{name} {value:.4f}" for name, value in predictions["score"].items())


def _place_rows(stage: Stage) -> Iterator[tuple[str, str]]:
    for name, what in (
        ("lake", "Delta: events, dead letters, feature rows, snapshots"),
        ("registry", "model.onnx, manifest.json, metrics.json, dataset.json per version"),
        ("training", "what each step of the training run left"),
        ("logs", "streaming, training, serving"),
        ("summary.json", "this summary's facts"),
        ("environment.sh", "the settings all of it ran with"),
    ):
        yield shown(stage.run.path / name), f"[dim]{what}[/]"


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
    run = shown(stage.run.path)
    console.print("\n[bold cyan]Continue by hand[/]")
    commands = [f". {run}/environment.sh"]
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
    return f"curl -s {stage.serving_url}{PATH} -H 'content-type: application/json' -d {shlex.quote(json.dumps(body))}"


def _plain(console: Console, text: str) -> None:
    """To be copied: neither wrapped nor marked up."""
    console.print(text, markup=False, soft_wrap=True)


def _verdict(ok: bool) -> str:
    return "[green]ok[/]" if ok else "[red]NOT OK[/]"


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def _number(value: float | str | None) -> str:
    return "missing" if value is None else f"{value:.4g}" if isinstance(value, float | int) else value


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"
