"""The rows of the summary: a name and a text each, in rich's markup."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.demo.report.facts import Facts
from deploy.demo.stage.stage import shown
from deploy.local.stack.stack_directory import StackDirectory


def event_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    """What happened to every event."""
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


def model_rows(model: Facts) -> Iterator[tuple[str, str]]:
    """What was trained on, and how good each model is."""
    rows = model["rows"]
    counts = ", ".join(
        f"{name} {rows[name]['labelled']:,} ({rows[name]['positive']:,} fraud)" for name in ("train", "gap", "test")
    )
    yield "rows", f"{counts}; {model['features']} features"
    for name, metrics in model["models"].items():
        measured = ", ".join(f"{key.replace('_', ' ')} {value:.3f}" for key, value in metrics.items())
        chosen = f"  [green]<- version {model['version']}, chosen by {model['chosen_by']}[/]"
        yield name.replace("_", " "), measured + (chosen if name == model["chosen"] else "")


def parity_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    """Whether what was trained, what was served and what the lake holds are the same."""
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


def prediction_rows(predictions: Facts, *, own_times: bool) -> Iterator[tuple[str, str]]:
    """How the predictions were answered. own_times: whether the events have the times of a file."""
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


def place_rows(directory: StackDirectory) -> Iterator[tuple[str, str]]:
    """Where everything of the run is."""
    for name, what in (
        ("lake", "Delta: events, dead letters, feature rows, snapshots"),
        ("registry", "model.onnx, manifest.json, metrics.json, dataset.json per version"),
        ("training", "what each step of the training run left"),
        ("logs", "the stream job, training, serving"),
        ("summary.json", "this summary's facts"),
        ("env.sh", "the settings all of it ran with"),
    ):
        yield shown(directory.path / name), f"[dim]{what}[/]"


def _verdict(ok: bool) -> str:
    return "[green]ok[/]" if ok else "[red]NOT OK[/]"


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"
