"""The gate: whether a published version becomes champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.models.task_rules import BETTER_IS_MORE, RULES

DEFAULT_TOLERANCE = 0.01
"""How much a challenger may lack, so that fresher data is not refused for a difference of noise: of a metric from 0 to
1 this much, of an error this part of the champion's."""


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and every reason, in sentences."""

    promote: bool
    reasons: tuple[str, ...]


def decide(
    challenger: Mapping[str, Any],
    champion: Mapping[str, Any] | None,
    floors: Mapping[str, float] = RULES["binary"].floors,
    tolerance: float = DEFAULT_TOLERANCE,
    basis: str = "on the same rows",
    compared: str = RULES["binary"].chosen_by,
) -> Decision:
    """Promote when every floor is reached and the compared metric is as good as the champion's, less the tolerance.

    champion: its metrics, None when there is no champion, so that nothing is compared. basis: over which rows they are.
    """
    low = [_missed(name, challenger[name], floor) for name, floor in sorted(floors.items())]
    if missed := tuple(each for each in low if each):
        return Decision(False, missed)
    signs = (f"{name} {'>=' if BETTER_IS_MORE[name] else '<='} {floor:g}" for name, floor in sorted(floors.items()))
    reached = f"floors reached ({', '.join(signs)})"
    if champion is None:
        return Decision(True, (reached, "there is no champion yet"))
    ours, theirs = challenger[compared], champion.get(compared)
    if theirs is None:
        return Decision(True, (reached, f"the champion is of another task and has no {compared}"))
    said = f"{compared} {ours:.4f} against the champion's {theirs:.4f} {basis}, tolerance {tolerance:g}"
    good = ours >= theirs - tolerance if BETTER_IS_MORE[compared] else ours <= theirs * (1 + tolerance)
    return Decision(good, (reached, said))


def _missed(name: str, value: float | None, floor: float) -> str | None:
    """What is said of a metric that does not reach its floor; one without a number (None, NaN) does not either."""
    if value is None:
        return f"{name} has no value, and its floor is {floor:g}"
    if BETTER_IS_MORE[name]:
        return None if value >= floor else f"{name} {value:.4f} is below its floor {floor:g}"
    return None if value <= floor else f"{name} {value:.4f} is above its limit {floor:g}"
