"""The limits of a model, in sentences: what it does not know, and where its metrics say little."""

from __future__ import annotations

from collections.abc import Iterator

from shared_features.counted import counted
from shared_features.kernel.event_time import to_text
from training.registry.model_card.model_facts import ModelFacts

_FEW_POSITIVE = 100
_MUCH_MISSING = 0.5
_POOR_CALIBRATION = 0.05


def limits(facts: ModelFacts) -> Iterator[str]:
    dataset, chosen = facts.dataset, facts.metrics["models"][facts.metrics["chosen"]]
    if facts.trained_elsewhere:
        yield (
            f"{facts.manifest.estimator} trained it, and which rows it learned from is not known. If rows of the test "
            "window are among them, it is less good than its metrics."
        )
        yield (
            f"Its graph was compared with what {facts.manifest.estimator} gave for "
            f"{counted(facts.manifest.parity.cases, 'row')}. The fitted model is not here, so missing values, extremes "
            "and both sides of splits were compared as far as these rows have them."
        )
        if facts.unproven:
            yield (
                "Neither its on-demand functions nor what serving reads were tried on stored rows, since there are "
                f"none: {facts.unproven}"
            )
    else:
        yield (
            f"It knows events up to {to_text(dataset.split.train_end_us)}. What changed in the world since then, it "
            "does not know."
        )
    yield "A missing feature is possible in every request, and the model answers nevertheless."
    if dataset.categories:
        yield "A value of a category that is not of the train window counts as a missing one."
    yield from facts.order_doubts
    if empty := [name for name, share in facts.missing.items() if share == 1.0]:
        yield f"Without any value in the train window: {', '.join(empty)}."
    if often := [f"{name} ({share:.0%})" for name, share in facts.missing.items() if _MUCH_MISSING <= share < 1.0]:
        yield f"Missing in half of the train window or more: {', '.join(often)}."
    if "not_measured" in facts.metrics:
        yield "How good it is was not measured."
    elif dataset.task == "binary" and dataset.rows.test.positive < _FEW_POSITIVE:
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
