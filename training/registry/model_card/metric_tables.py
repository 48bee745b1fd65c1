"""The parts of a model card about how good the model is: metrics, plots, importance of features, slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared_features.counted import counted
from training.bar_chart import bar_chart
from training.facts import shown
from training.models.comparison.slice_order import in_order
from training.models.metrics.choice import tell_choice, tell_compared
from training.models.metrics.curve_plots import own_plots, score_plots
from training.registry.model_card.document_text import Section, Table
from training.registry.model_card.model_facts import ModelFacts

_OF_CLASS = ("rows", "precision", "recall", "f1", "roc_auc", "average_precision")
_MOST_FEATURES, _MOST_BARS = 20, 12


def measured(facts: ModelFacts) -> str:
    floors = ", ".join(f"{name} {value:g}" for name, value in facts.floors.items())
    why = tell_compared(facts.metrics) if facts.trained_elsewhere else tell_choice(facts.metrics)
    return (
        f"Over {counted(int(facts.metrics['rows']), 'row')} of the test window. {why}.{_of_parts(facts)} The gate asks "
        f"for {floors or 'no floor'}.{_resampled(facts.metrics)}"
    )


def _of_parts(facts: ModelFacts) -> str:
    if importance_by(facts) == facts.metrics["chosen_by"]:
        return ""
    return f" It needs all entities of a day, so features, slices and searches go by {importance_by(facts)}."


def not_measured(facts: ModelFacts) -> Section:
    """In place of all that is measured: what is missing, and how to get it."""
    return Section(
        "Metrics",
        [
            f"{facts.metrics['not_measured']} So metrics with their intervals, plots, the importance of features and "
            "slices are missing, and the gate refuses the version.",
            "Publish it again with a --dataset that has labelled rows for a test: that of a run, or an export of all "
            "events of a span or of a spine with labels and --split.",
        ],
    )


def _resampled(metrics: Mapping[str, Any]) -> str:
    found = metrics.get("intervals")
    if found is None:
        return ""
    drawn = counted(found["entities"], "entity", "entities")
    return f" Its intervals are those of {found['resamples']} resamples of {drawn}."


def metric_table(facts: ModelFacts) -> Table:
    models: Mapping[str, Mapping[str, Any]] = facts.metrics["models"]
    chosen = facts.metrics["chosen"]
    order = [chosen, *(name for name in models if name != chosen)]
    names = [name for name, value in models[chosen].items() if isinstance(value, int | float)]
    rows = [[name, *(shown(models[each].get(name)) for each in order)] for name in names]
    head = ["metric", *order]
    if intervals := facts.metrics.get("intervals"):
        head.insert(2, f"{intervals['confidence']:.0%} interval")
        for row in rows:
            ends = intervals["metrics"].get(row[0])
            row.insert(2, f"{shown(ends[0])} to {shown(ends[1])}" if ends else "")
    return Table(tuple(head), rows)


def plots(facts: ModelFacts) -> Iterator[str]:
    yield from score_plots(facts.curves)
    yield from own_plots(facts.curves.get(facts.metrics["chosen"], {}))


def decision_table(facts: ModelFacts) -> Table | None:
    """What each candidate decides at the threshold; None of a model that decides nothing."""
    models: Mapping[str, Mapping[str, Any]] = facts.metrics["models"]
    found = {name: each["decisions"] for name, each in models.items() if each.get("decisions")}
    names = list(next(iter(found.values()))) if found else []
    rows = [(name, *(shown(each[name]) for each in found.values())) for name in names]
    return Table(("at the threshold", *found), rows) if rows else None


def class_table(facts: ModelFacts) -> Table | None:
    """What is known of each class, and what its rows were answered with; None of a model without classes."""
    each: Mapping[str, Mapping[str, Any]] = facts.metrics["models"][facts.metrics["chosen"]].get("per_class", {})
    rows = [
        (name, *(shown(found.get(metric)) for metric in _OF_CLASS), shown(found.get("answered", {})))
        for name, found in each.items()
    ]
    return Table(("class", *_OF_CLASS, "its rows are answered with"), rows) if rows else None


def importance_by(facts: ModelFacts) -> str:
    """The metric that shuffled features are measured by: that which chose, where a part of the rows can tell it."""
    return str(facts.metrics.get("importance_by", facts.metrics["chosen_by"]))


def importance_table(facts: ModelFacts) -> Table:
    rows = [(name, f"{value:.4f}") for name, value in _ranked(facts)[:_MOST_FEATURES]]
    return Table(("feature", "worse by"), rows)


def _ranked(facts: ModelFacts) -> list[tuple[str, float]]:
    """The features, those that are needed most first: a JSON document has them in another order."""
    return sorted(facts.metrics["importance"].items(), key=lambda each: -each[1])


def importance_plot(facts: ModelFacts) -> str:
    """The same of the features that are needed most."""
    what = f"how much {importance_by(facts)} is worse without it"
    return bar_chart("Importance by permutation", what, dict(_ranked(facts)[:_MOST_BARS]))


def gaps(slices: Mapping[str, Any]) -> Iterator[str]:
    for name, found in slices.items():
        if found["gap"] is not None:
            yield (
                f"{found['metric']} across {name} is {found['gap']:.4f} apart: worst {found['worst']}, best "
                f"{found['best']}."
            )


def slice_table(name: str, found: Mapping[str, Any]) -> Table:
    metric = found["metric"]
    slices = found["slices"]
    rows = [(each, shown(slices[each]["rows"]), shown(slices[each][metric])) for each in in_order(slices)]
    return Table((name, "rows", metric), rows)
