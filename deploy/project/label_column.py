"""Which column is the label, and why it was taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deploy.project.column import Column
from deploy.project.column_traits import is_named, is_truth
from deploy.project.hints import LABEL_WORDS, NUMBER_LABEL_WORDS
from deploy.project.horizon import horizon_us
from shared_features.definitions import Boolean, Decimal, Integer

_RARE = 0.2


def _number_ahead(columns: Iterable[Column], truths: Sequence[Column]) -> Column | None:
    """A number that is known later, by its name."""
    numbers = [each for each in columns if isinstance(each.type, Decimal | Integer) and each not in truths]
    called = [each for each in numbers if each.words and each.words[-1] in NUMBER_LABEL_WORDS]
    return next(iter([*called, *(each for each in numbers if horizon_us(each.name) is not None)]), None)


def guess_label(columns: Sequence[Column], why: dict[str, str]) -> Column | None:
    truths = [each for each in columns if is_truth(each)]
    named = [each for each in truths if is_named(each, LABEL_WORDS)]
    rare = [each for each in truths if each.counts[1] <= _RARE * each.counts.total()]
    if named:
        best = max(named, key=lambda each: each.words[-1] in LABEL_WORDS)
        why["label"] = "its name says that it is an outcome"
    elif number := _number_ahead(columns, truths):
        why["label"] = "it is a number, and its name says that it is an outcome"
        return number
    elif len(truths) == 1 and rare:
        best = rare[0]
        why["label"] = "the only column of truths, and few are true; its name does not say so"
    else:
        return None
    true = best.counts[1] / best.counts.total()
    why["label"] += f"; {true:.1%} are true"
    return best.becomes(Boolean(), best.why) if isinstance(best.type, Integer | Decimal) else best
