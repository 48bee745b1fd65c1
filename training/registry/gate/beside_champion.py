"""Checks of what a version is like beside the champion: how stable its scores are, and what its graph costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared_features.formats.model_manifest import BATCH_ROWS, GraphCost
from training.definitions.gate_limits import GateLimits
from training.registry.gate.check import Check

if TYPE_CHECKING:
    from training.models.comparison.score_stability import ScoreStability

_PSI, _RANK_CORRELATION, _CHANGED = 0.25, 0.8, 0.1
"""Where the gate warns. Siddiqi, *Credit Risk Scorecards* (2006) calls a PSI above 0.25 a large shift."""
USUAL_RATIO = 2.0


def stability_checks(stability: ScoreStability, limits: GateLimits) -> Iterator[Check]:
    """Of what cannot be told of these rows, there is a check where a limit asks for it, and it passes."""
    most, warns = _limit(limits.psi, _PSI)
    asked = f"PSI of scores against the champion's <= {most:g}"
    if stability.psi is not None:
        yield Check(asked, f"PSI {stability.psi:.4f}", stability.psi <= most, warns)
    least, warns = _limit(limits.rank_correlation, _RANK_CORRELATION)
    asked, rank = f"rank correlation with the champion's scores >= {least:g}", stability.rank_correlation
    if rank is not None:
        yield Check(asked, f"rank correlation {rank:.4f}", rank >= least, warns)
    elif not warns:
        yield Check(asked, "one of the two says the same of every row, so there are no ranks", True)
    most, warns = _limit(limits.changed, _CHANGED)
    asked = f"decisions other than the champion's <= {most:.3g} of rows"
    if stability.changed is not None:
        yield Check(asked, f"{stability.changed:.4f} of {stability.rows:,} rows", stability.changed <= most, warns)
    elif not warns:
        yield Check(asked, "the champion decides nothing: it has no threshold", True)


def cost_checks(ours: GraphCost, theirs: GraphCost | None, limits: GateLimits) -> Iterator[Check]:
    """theirs: of the champion, measured at the same time; None without one that takes the same rows."""
    for name, unit, mine, most in (
        ("model.onnx", "bytes", ours.graph_bytes, limits.graph_bytes),
        ("one row", "us", ours.row_us, limits.row_us),
        (f"{BATCH_ROWS} rows", "us", ours.batch_us, limits.batch_us),
    ):
        if most is not None:
            yield Check(f"{name} <= {_whole(most)} {unit}", f"{_said(mine)} {unit}", mine <= most)
    if theirs is None:
        return
    for name, unit, mine, other, asked in (
        ("model.onnx", "bytes", ours.graph_bytes, theirs.graph_bytes, limits.size_ratio),
        ("one row", "us", ours.row_us, theirs.row_us, limits.time_ratio),
        (f"{BATCH_ROWS} rows", "us", ours.batch_us, theirs.batch_us, limits.time_ratio),
    ):
        most, warns = _limit(asked, USUAL_RATIO)
        found = f"{_said(mine)} {unit}, the champion's {_said(other)}"
        yield Check(f"{name} <= {most:g} times the champion's", found, mine <= most * other, warns)


def _limit(asked: float | None, usual: float) -> tuple[float, bool]:
    """The limit, and whether it only warns."""
    return (usual, True) if asked is None else (asked, False)


def _whole(limit: float) -> str:
    return f"{limit:,.0f}" if limit == round(limit) else f"{limit:g}"


def _said(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,.1f}"
