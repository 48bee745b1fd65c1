"""The model card: what a version is, from which data, how good, for whom less good, and where its limits are.

After Mitchell et al., *Model Cards for Model Reporting* (FAT* 2019). A run writes it beside the model it publishes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared_features.counted import counted
from shared_features.formats.model_manifest import BATCH_ROWS, GraphCost
from shared_features.kernel.event_time import to_text
from training.models.search.search_report import search_plot, trial_table
from training.registry.model_card.data_tables import data_facts, expectation_table, window_table
from training.registry.model_card.document_text import Section, Table, write_html, write_markdown
from training.registry.model_card.gate_section import gate_elsewhere
from training.registry.model_card.limits import limits
from training.registry.model_card.metric_tables import (
    class_table,
    decision_table,
    gaps,
    importance_by,
    importance_plot,
    importance_table,
    measured,
    metric_table,
    not_measured,
    plots,
    slice_table,
)
from training.registry.model_card.model_facts import ModelFacts, fact_table

MODEL_CARD_MARKDOWN, MODEL_CARD_HTML = "card.md", "card.html"
_MOST_TRIALS = 10


def write_model_card(facts: ModelFacts) -> dict[str, bytes]:
    """File name -> content."""
    title, sections = f"Model card of {facts.manifest.model}", list(_sections(facts))
    return {
        MODEL_CARD_MARKDOWN: write_markdown(title, sections).encode(),
        MODEL_CARD_HTML: write_html(title, sections).encode(),
    }


def _sections(facts: ModelFacts) -> Iterator[Section]:
    manifest = facts.manifest
    yield gate_elsewhere(manifest.model)
    yield Section("What it is", [facts.description] if facts.description else [], [fact_table(_about(facts))])
    yield Section("Data", tables=[fact_table(data_facts(facts.dataset)), window_table(facts.dataset)])
    if facts.expectations:
        yield Section("Expectations", tables=[expectation_table(facts.expectations)])
    yield from _how_good(facts) if "not_measured" not in facts.metrics else [not_measured(facts)]
    yield Section("Limits", list(limits(facts)))
    lineage = {
        "model.onnx, sha256": manifest.model_digest,
        "dataset, sha256": manifest.dataset_digest,
        "view": f"{manifest.view.name}:v{manifest.view.version} ({manifest.view.fingerprint})",
        **{f"group {each.label}": each.fingerprint for each in manifest.view.groups},
        **{f"table {name}": f"version {each.version}" for name, each in facts.dataset.tables.items()},
        **manifest.libraries,
    }
    yield Section("Lineage", tables=[fact_table(lineage)])


def _how_good(facts: ModelFacts) -> Iterator[Section]:
    yield Section(
        "Metrics",
        [measured(facts)],
        [metric_table(facts), *filter(None, (decision_table(facts), class_table(facts)))],
        list(plots(facts)),
    )
    if notes := facts.metrics.get("notes"):
        yield Section("Fitting", [f"{name}: {note}." for name, each in notes.items() for note in each])
    for name, found in facts.metrics.get("search", {}).items():
        table = Table(*trial_table(found, _MOST_TRIALS))
        yield Section(f"Search of {name}", [f"{found['says']}."], [table], [search_plot(name, found)])
    if facts.metrics.get("importance"):
        says = f"By how much {importance_by(facts)} is worse when the values of a feature are shuffled."
        yield Section("Features", [says], [importance_table(facts)], [importance_plot(facts)])
    if slices := facts.metrics.get("slices"):
        yield Section("Slices", list(gaps(slices)), [slice_table(name, found) for name, found in slices.items()])


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
        "graph": _cost(manifest.cost),
        "certificate": f"{counted(parity.cases, 'row')}, worst difference {parity.worst_difference:.2g} of "
        f"{parity.tolerance:g}; {counted(parity.on_demand_cases, 'value')} of on-demand functions",
    }


def _cost(cost: GraphCost | None) -> str:
    if cost is None:
        return ""
    return (
        f"{cost.graph_bytes:,} bytes; processor time of one row {cost.row_us:,.0f} us, of {BATCH_ROWS} rows "
        f"{cost.batch_us:,.0f} us"
    )
