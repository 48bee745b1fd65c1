"""The tables of a model card about its data: windows, rows of each outcome, expectations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared_features.formats.dataset_manifest import DatasetManifest, WindowCounts
from shared_features.kernel.event_time import to_text
from training.datasets.outcomes.told_labels import tell_labels
from training.registry.model_card.document_text import Table


def data_facts(dataset: DatasetManifest) -> dict[str, Any]:
    return {
        "complete up to": to_text(dataset.cut_us),
        "labels known at": to_text(dataset.labels.cutoff_us),
        **window_facts(dataset),
        "entity": dataset.entity,
        "conflicting labels": dataset.labels.conflicting,
        "labels": "; ".join(tell_labels(dataset)) or "as they were sent",
        "erased entities": dataset.erased_entities,
        "categories": {name: f"{len(values)} values" for name, values in dataset.categories.items()},
    }


def has_windows(dataset: DatasetManifest) -> bool:
    """Whether the time of a row says what it is for: to learn from, or for the test."""
    if dataset.spine is None and not dataset.is_range:
        return True
    return dataset.division is not None and bool(dataset.division.folds and dataset.split.test_us)


def window_facts(dataset: DatasetManifest) -> dict[str, str]:
    """Rows that a user brought, and all rows of a span, have no windows: they were divided, or were not.

    Rows that were divided in folds of time have the test window of the last one.
    """
    split, division = dataset.split, dataset.division
    test = {"test window": f"{to_text(split.test_start_us)} to {to_text(split.end_us)}"}
    if dataset.spine is None and not dataset.is_range:
        return {"train window": f"{to_text(split.start_us)} to {to_text(split.train_end_us)}", **test}
    span = {"span": f"{to_text(split.start_us)} to {to_text(split.end_us)}"}
    if division is None:
        return {**span, "divided": "no, all rows are to learn from"}
    if not division.folds:
        return {**span, "divided": f"{division.kind} {division.of}".strip()}
    return {**span, "divided": f"{division.kind} {division.folds}", **(test if split.test_us else {})}


def window_table(dataset: DatasetManifest) -> Table:
    names = list(map(str, dataset.classes)) if dataset.task == "multiclass" else []
    names = ["positive"] if dataset.task == "binary" else names
    rows = [(name, _counts(each, dataset)) for name, each in
            (("train", dataset.rows.train), ("gap", dataset.rows.gap), ("test", dataset.rows.test))]  # fmt: skip
    head = ("window", "rows", *names, "left out, label unknown")
    return Table(head, [(name, *(f"{count:,}" for count in counts)) for name, counts in rows])


def _counts(window: WindowCounts, dataset: DatasetManifest) -> list[int]:
    by_class = window.by_class or (0,) * len(dataset.classes)  # of a window without rows
    of_task = {"binary": [window.positive], "multiclass": list(by_class)}.get(dataset.task, [])
    return [window.labelled, *of_task, window.unknown_label_left_out]


def expectation_table(outcomes: Sequence[Mapping[str, Any]]) -> Table:
    rows = [(each["expects"], "yes" if each["met"] else "no: a warning", each["found"]) for each in outcomes]
    return Table(("expected of the dataset", "met", "found"), rows)
