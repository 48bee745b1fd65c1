"""The report of the as-served gap: a table for people, one JSON document for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from shared_features.counted import counted
from training.proofs.gap.feature_gap import FeatureGap
from training.proofs.gap.served_stages import CAUSES

Metrics = Mapping[str, float]


@dataclass(frozen=True)
class TrainingEffect:
    """What training on either truth does. candidate: what was fitted. metrics: truth it was trained on -> its metrics
    on test rows as served, and promised: on test rows of the same truth.
    """

    candidate: str
    metrics: Mapping[str, Metrics]
    promised: Mapping[str, Metrics]


@dataclass(frozen=True)
class GapReport:
    """view: its label. features: in the view's order."""

    view: str
    rows: int
    features: tuple[FeatureGap, ...]
    effect: TrainingEffect | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def plain(self) -> dict[str, Any]:
        """As one JSON document."""
        return {
            "view": self.view,
            "rows": self.rows,
            "features": {each.feature: {**asdict(each), "share": each.share} for each in self.features},
            "training": None if self.effect is None else asdict(self.effect),
            "notes": list(self.notes),
        }

    @property
    def differing(self) -> tuple[FeatureGap, ...]:
        """The features that differ, the one with most rows first."""
        return tuple(sorted((each for each in self.features if each.whole.rows), key=lambda each: -each.share))

    def lines(self) -> Iterator[str]:
        """A table of the features that differ."""
        differing = self.differing
        same = len(self.features) - len(differing)
        yield f"{self.view}: {counted(self.rows, 'row')}, as served against what had happened"
        if differing:
            wide = max(len(each.feature) for each in differing)
            yield f"{'feature':{wide}}  {'rows':>6}  {'mean':>9}  {'most':>9}  {'typical':>9}  " + "  ".join(
                f"{cause:>16}" for cause in CAUSES
            )
            for each in differing:
                yield _line(each, wide)
        yield f"{counted(same, 'feature')} of {len(self.features)} never differ"
        yield from self.notes
        if self.effect is not None:
            yield from _effect_lines(self.effect)


def _line(gap: FeatureGap, wide: int) -> str:
    size = f"{gap.share:>6.1%}  {gap.whole.mean:>9.3g}  {gap.whole.largest:>9.3g}  {gap.typical:>9.3g}"
    causes = "  ".join(f"{gap.causes[cause].rows / gap.rows:>16.1%}" for cause in CAUSES)
    return f"{gap.feature:{wide}}  {size}  {causes}"


def _effect_lines(effect: TrainingEffect) -> Iterator[str]:
    yield f"{effect.candidate}, tested on rows as served (and what a test of its own truth promises):"
    for truth, metrics in effect.metrics.items():
        promised = effect.promised[truth]
        said = ", ".join(f"{name} {value:.4f} ({promised[name]:.4f})" for name, value in metrics.items())
        yield f"  trained {truth}: {said}"
