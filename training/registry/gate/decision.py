"""The gate: whether a published version becomes champion, as a verdict that people read: asked, found, pass or fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from training.models.task_rules import RULES, more_is_better
from training.registry.gate.check import Check

if TYPE_CHECKING:
    from training.definitions.model import Promotion
    from training.models.comparison.paired_bootstrap import Comparison

DEFAULT_TOLERANCE = 0.01
"""How much a challenger may lack, so that fresher data is not refused for a difference of noise: of a metric from 0 to
1 this much, of an error this part of the champion's."""

_WITHOUT_CONFIDENCE = "on other rows, there is no confidence in the difference"
_BY_HAND = "; look at both, and promote this one by hand if it is better, by `python -m training promote`"
_UNMEASURED = (
    "the champion was never measured by {}, so nothing says which of the two is better: look at both, and promote this "
    "one by hand if it is, by `python -m training promote`"
)


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and every reason, in sentences. checks: all that was asked."""

    promote: bool
    reasons: tuple[str, ...]
    checks: tuple[Check, ...] = ()


def decide(
    challenger: Mapping[str, Any],
    champion: Mapping[str, Any] | None,
    floors: Mapping[str, float] = RULES["binary"].floors,
    tolerance: float = DEFAULT_TOLERANCE,
    basis: str = "on the same rows",
    compared: str = RULES["binary"].chosen_by,
    comparison: Comparison | None = None,
    promotion: Promotion = "within_tolerance",
    slices: Mapping[str, Mapping[str, Any]] | None = None,
    slice_gap: float | None = None,
    further: Sequence[Check] = (),
) -> Decision:
    """Promote when no floor and no limit is missed, the slices are alike enough, and the champion is matched.

    What cannot be compared is not promoted: a metric without a value, or one that the champion was never measured by.
    champion: its metrics, None when there is no champion, so that nothing is compared. basis: over which rows they are.
    comparison: of both on the same rows, None where the champion wants other features. slices: column -> what
    `slice_metrics` found. slice_gap: the largest gap between the best and the worst slice of a column. further: what
    was found of limits; the reasons have those that only warn, too.
    """
    checks = [_floor(name, challenger.get(name), floor) for name, floor in sorted(floors.items())]
    checks += _gaps(slices or {}, slice_gap)
    reached = f"floors reached ({', '.join(each.asked for each in checks[: len(floors)])})"
    matched = _matched(challenger, champion, tolerance, basis, compared, comparison, promotion)
    every = (*checks, matched, *further)
    warnings = tuple(f"warning: {_said(each)}" for each in further if each.warns and not each.passed)
    missed = (*(each.found for each in checks if each.missed), *(_said(each) for each in further if each.missed))
    if missed:
        return Decision(False, (*missed, *warnings), every)
    return Decision(matched.passed, (reached, matched.found, *warnings), every)


def _said(check: Check) -> str:
    return f"{check.found} (asked: {check.asked})"


def _matched(
    challenger: Mapping[str, Any],
    champion: Mapping[str, Any] | None,
    tolerance: float,
    basis: str,
    compared: str,
    comparison: Comparison | None,
    promotion: Promotion,
) -> Check:
    asked = f"{compared} as good as the champion's, tolerance {tolerance:g}"
    ours = challenger.get(compared)
    if ours is None:
        return Check(
            asked, f"{compared} has no value in the test window, so nothing says how good the version is", False
        )
    if champion is None:
        return Check(asked, "there is no champion yet", True)
    theirs = champion.get(compared)
    if theirs is None:
        return Check(asked, _UNMEASURED.format(compared), False)
    said = f"{compared} {ours:.4f} against the champion's {theirs:.4f} {basis}, tolerance {tolerance:g}"
    good = ours >= theirs - tolerance if more_is_better(compared) else ours <= theirs * (1 + tolerance)
    verdict = "unknown" if comparison is None else comparison.verdict
    said = f"{said}; {_WITHOUT_CONFIDENCE if comparison is None else comparison.describe()}"
    if comparison is None and promotion != "within_tolerance":
        said += _BY_HAND
    match promotion:
        case "within_tolerance":
            return Check(asked, said, good)
        case "not_worse":
            return Check(f"{compared} not worse than the champion's", said, verdict in ("equal", "better"))
        case "better":
            return Check(f"{compared} better than the champion's", said, verdict == "better")


def _gaps(slices: Mapping[str, Mapping[str, Any]], most: float | None) -> Iterator[Check]:
    for column, found in slices.items():
        if most is None:
            continue
        metric, gap, worst, best = (found[name] for name in ("metric", "gap", "worst", "best"))
        asked = f"{metric} across {column} <= {most:g} apart"
        if gap is None:
            yield Check(asked, f"{column} has fewer than two slices that can be compared", True)
            continue
        ends = (f"{name} {found['slices'][name][metric]:.4f}" for name in (worst, best))
        yield Check(asked, f"{metric} across {column} is {gap:.4f} apart: {', '.join(ends)}", gap <= most)


def _floor(name: str, value: float | None, floor: float) -> Check:
    """A metric without a number (None, NaN) does not reach its floor."""
    more = more_is_better(name)
    asked = f"{name} {'>=' if more else '<='} {floor:g}"
    if value is None:
        return Check(asked, f"{name} has no value, and its floor is {floor:g}", False)
    if (value >= floor) if more else (value <= floor):
        return Check(asked, f"{name} {value:.4f}", True)
    return Check(asked, f"{name} {value:.4f} is {'below its floor' if more else 'above its limit'} {floor:g}", False)
