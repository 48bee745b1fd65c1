"""The report of a search: its trials, the best of them, and how the best one got better, as JSON and as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from training.facts import shown
from training.models.search.hyper_parameters import Found
from training.models.task_rules import better, more_is_better
from training.plot import plot


def search_facts(found: Found) -> dict[str, Any]:
    """As plain data, for a file and for the model card."""
    facts: dict[str, Any] = msgspec.to_builtins(
        {"metric": found.metric, "best": found.best.number, "says": found.describe(), "trials": found.trials}
    )
    return facts


def trial_table(facts: Mapping[str, Any], most: int | None = None) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The head and the rows of a table, in the order of the trials; or of so many, the best first."""
    names, trials = list(facts["trials"][0]["values"]), facts["trials"]
    if most is not None:
        scored = [each for each in trials if each["score"] is not None]
        trials = sorted(scored, key=lambda each: each["score"], reverse=more_is_better(facts["metric"]))[:most]
    rows = [
        (
            f"{each['number']}{' (best)' if each['number'] == facts['best'] else ''}",
            *(shown(each["values"][name]) for name in names),
            "no number" if each["score"] is None else f"{each['score']:.5f}",
        )
        for each in trials
    ]
    return ("trial", *names, f"mean {facts['metric']}"), rows


def search_plot(name: str, facts: Mapping[str, Any]) -> str:
    """Each trial as a point, and the best so far as a line."""
    dots, line, best = [], [], None
    for each in facts["trials"]:
        if each["score"] is None:
            continue
        dots.append([each["number"], each["score"]])
        if best is None or better(facts["metric"], each["score"], best):
            best = each["score"]
        line.append([each["number"], best])
    return plot(f"Search of {name}", "trial", facts["metric"], {"best so far": line}, dots, fits=True)
