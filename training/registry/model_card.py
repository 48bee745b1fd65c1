"""The model card: what a version is, from which data, how good, for whom less good, and where its limits are.

After Mitchell et al., *Model Cards for Model Reporting* (FAT* 2019). A run writes it beside the model it publishes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared_features.counted import counted
from shared_features.formats.dataset_manifest import DatasetManifest, WindowCounts
from shared_features.formats.model_manifest import ModelManifest
from shared_features.kernel.event_time import to_text
from training.datasets.outcomes.told_labels import tell_labels
from training.facts import shown
from training.models.comparison.slice_order import in_order
from training.models.metrics.curve_plots import residual_plots, score_plots
from training.models.search.search_report import search_plot, trial_table
from training.registry.document_text import Section, Table, write_html, write_markdown

MODEL_CARD_MARKDOWN, MODEL_CARD_HTML = "card.md", "card.html"
_FEW_POSITIVE = 100
_MOST_FEATURES = 20
_MOST_TRIALS = 10
_MUCH_MISSING = 0.5
_POOR_CALIBRATION = 0.05


@dataclass(frozen=True)
class ModelFacts:
    """What a model card is written from.

    metrics: of `metrics.json`. curves: candidate -> curve -> points. missing: feature -> share of missing values in the
    train window. floors: the worst values that may become champion. expectations: of `validation.json`.
    """

    manifest: ModelManifest
    dataset: DatasetManifest
    metrics: Mapping[str, Any]
    floors: Mapping[str, float]
    curves: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, float] = field(default_factory=dict)
    owner: str = ""
    description: str = ""
    made_by: str = ""
    expectations: Sequence[Mapping[str, Any]] = ()


def write_model_card(facts: ModelFacts) -> dict[str, bytes]:
    """File name -> content."""
    title, sections = f"Model card of {facts.manifest.model}", list(_sections(facts))
    return {
        MODEL_CARD_MARKDOWN: write_markdown(title, sections).encode(),
        MODEL_CARD_HTML: write_html(title, sections).encode(),
    }


def _sections(facts: ModelFacts) -> Iterator[Section]:
    manifest = facts.manifest
    yield Section("What it is", [facts.description] if facts.description else [], [_facts(_about(facts))])
    yield Section("Data", tables=[_facts(_data(facts.dataset)), _windows(facts.dataset)])
    if facts.expectations:
        yield Section("Expectations", tables=[_expectations(facts.expectations)])
    yield Section("Metrics", [_measured(facts)], [_metrics(facts)], list(_plots(facts)))
    if notes := facts.metrics.get("notes"):
        yield Section("Fitting", [f"{name}: {note}." for name, each in notes.items() for note in each])
    for name, found in facts.metrics.get("search", {}).items():
        table = Table(*trial_table(found, _MOST_TRIALS))
        yield Section(f"Search of {name}", [f"{found['says']}."], [table], [search_plot(name, found)])
    if needed := facts.metrics.get("importance"):
        says = f"By how much {facts.metrics['chosen_by']} is worse when the values of a feature are shuffled."
        yield Section("Features", [says], [_importance(needed)])
    if slices := facts.metrics.get("slices"):
        yield Section("Slices", list(_gaps(slices)), [_slices(name, found) for name, found in slices.items()])
    yield Section("Limits", list(_limits(facts)))
    lineage = {
        "model.onnx, sha256": manifest.model_digest,
        "dataset, sha256": manifest.dataset_digest,
        "view": f"{manifest.view.name}:v{manifest.view.version} ({manifest.view.fingerprint})",
        **{f"group {each.label}": each.fingerprint for each in manifest.view.groups},
        **{f"table {name}": f"version {each.version}" for name, each in facts.dataset.tables.items()},
        **manifest.libraries,
    }
    yield Section("Lineage", tables=[_facts(lineage)])


def _about(facts: ModelFacts) -> dict[str, Any]:
    manifest, parity = facts.manifest, facts.manifest.parity
    return {
        "task": manifest.task,
        "outcomes": list(manifest.classes),
        "estimator": manifest.estimator,
        "answers": manifest.output_name,
        "decides from the score": manifest.threshold,
        "features": len(manifest.view.features),
        "request fields": list(manifest.view.request_fields),
        "encoders": [f"{name}: {each}" for name, each in manifest.encoders.items()],
        "probabilities": list(manifest.corrections),
        "owner": facts.owner,
        "made by": facts.made_by,
        "made at": to_text(manifest.created_at_us),
        "certificate": f"{counted(parity.cases, 'row')}, worst difference {parity.worst_difference:.2g} of "
        f"{parity.tolerance:g}; {counted(parity.on_demand_cases, 'value')} of on-demand functions",
    }


def _data(dataset: DatasetManifest) -> dict[str, Any]:
    split = dataset.split
    return {
        "complete up to": to_text(dataset.cut_us),
        "labels known at": to_text(dataset.labels.cutoff_us),
        "train window": f"{to_text(split.start_us)} to {to_text(split.train_end_us)}",
        "test window": f"{to_text(split.test_start_us)} to {to_text(split.end_us)}",
        "conflicting labels": dataset.labels.conflicting,
        "labels": tell_labels(dataset),
        "erased entities": dataset.erased_entities,
        "categories": {name: f"{len(values)} values" for name, values in dataset.categories.items()},
    }


def _windows(dataset: DatasetManifest) -> Table:
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


def _expectations(outcomes: Sequence[Mapping[str, Any]]) -> Table:
    rows = [(each["expects"], "yes" if each["met"] else "no: a warning", each["found"]) for each in outcomes]
    return Table(("expected of the dataset", "met", "found"), rows)


def _measured(facts: ModelFacts) -> str:
    floors = ", ".join(f"{name} {value:g}" for name, value in facts.floors.items())
    return (
        f"Over {counted(int(facts.metrics['rows']), 'row')} of the test window. {facts.metrics['chosen']} was chosen "
        f"by {facts.metrics['chosen_by']}. The gate asks for {floors or 'no floor'}."
    )


def _metrics(facts: ModelFacts) -> Table:
    models: Mapping[str, Mapping[str, Any]] = facts.metrics["models"]
    chosen = facts.metrics["chosen"]
    order = [chosen, *(name for name in models if name != chosen)]
    names = [name for name, value in models[chosen].items() if isinstance(value, int | float)]
    rows = [(name, *(shown(models[each].get(name)) for each in order)) for name in names]
    return Table(("metric", *order), rows)


def _plots(facts: ModelFacts) -> Iterator[str]:
    yield from score_plots(facts.curves)
    yield from residual_plots(facts.curves.get(facts.metrics["chosen"], {}))


def _importance(needed: Mapping[str, float]) -> Table:
    rows = [(name, f"{value:.4f}") for name, value in list(needed.items())[:_MOST_FEATURES]]
    return Table(("feature", "worse by"), rows)


def _gaps(slices: Mapping[str, Any]) -> Iterator[str]:
    for name, found in slices.items():
        if found["gap"] is not None:
            yield (
                f"{found['metric']} across {name} is {found['gap']:.4f} apart: worst {found['worst']}, best "
                f"{found['best']}."
            )


def _slices(name: str, found: Mapping[str, Any]) -> Table:
    metric = found["metric"]
    slices = found["slices"]
    rows = [(each, shown(slices[each]["rows"]), shown(slices[each][metric])) for each in in_order(slices)]
    return Table((name, "rows", metric), rows)


def _limits(facts: ModelFacts) -> Iterator[str]:
    dataset, chosen = facts.dataset, facts.metrics["models"][facts.metrics["chosen"]]
    yield (
        f"It knows events up to {to_text(dataset.split.train_end_us)}. What changed in the world since then, it does "
        "not know."
    )
    yield "A missing feature is possible in every request, and the model answers nevertheless."
    if dataset.categories:
        yield "A value of a category that is not of the train window counts as a missing one."
    if empty := [name for name, share in facts.missing.items() if share == 1.0]:
        yield f"Without any value in the train window: {', '.join(empty)}."
    if often := [f"{name} ({share:.0%})" for name, share in facts.missing.items() if _MUCH_MISSING <= share < 1.0]:
        yield f"Missing in half of the train window or more: {', '.join(often)}."
    if dataset.task == "binary" and dataset.rows.test.positive < _FEW_POSITIVE:
        yield (
            f"The test window has {counted(dataset.rows.test.positive, 'positive row')}, so the metrics may differ "
            "much in another window."
        )
    error = chosen.get("calibration_error")
    if error is not None and error > _POOR_CALIBRATION:
        yield f"Scores are ranks rather than shares: the calibration error is {error:.3f}."
    if dataset.erased_entities:
        yield (
            f"Events of {counted(dataset.erased_entities, 'erased entity', 'erased entities')} are not in the data, so "
            "the dataset cannot be built again as it was with them."
        )


def _facts(rows: Mapping[str, Any]) -> Table:
    return Table(("", ""), [(name, shown(value)) for name, value in rows.items() if shown(value)])
