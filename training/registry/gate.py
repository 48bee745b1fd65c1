"""The gate: whether a published version becomes champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_FLOORS: Mapping[str, float] = {"roc_auc": 0.5}
"""Below 0.5 a score ranks worse than chance: something is broken, whatever the champion does."""

DEFAULT_TOLERANCE = 0.01
"""How much average precision a challenger may lack, so that fresher data is not refused for a difference of noise."""

_COMPARED = "average_precision"


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and every reason, in sentences."""

    promote: bool
    reasons: tuple[str, ...]


def decide(
    challenger: Mapping[str, Any],
    champion: Mapping[str, Any] | None,
    floors: Mapping[str, float] = DEFAULT_FLOORS,
    tolerance: float = DEFAULT_TOLERANCE,
    basis: str = "on the same rows",
) -> Decision:
    """Promote when every floor is reached and average precision is at least the champion's less the tolerance.

    champion: its metrics, None when there is no champion, so that nothing is compared. basis: over which rows they are.
    """
    low = [
        f"{name} {challenger[name]:.4f} is below its floor {floor:g}"
        for name, floor in sorted(floors.items())
        if not challenger[name] >= floor  # NaN too
    ]
    if low:
        return Decision(False, tuple(low))
    reached = f"floors reached ({', '.join(f'{name} >= {floor:g}' for name, floor in sorted(floors.items()))})"
    if champion is None:
        return Decision(True, (reached, "there is no champion yet"))
    ours, theirs = challenger[_COMPARED], champion[_COMPARED]
    compared = f"{_COMPARED} {ours:.4f} against the champion's {theirs:.4f} {basis}, tolerance {tolerance:g}"
    return Decision(ours >= theirs - tolerance, (reached, compared))
