"""Which column is the label, and why it was taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deploy.project.columns.column import Column
from deploy.project.columns.column_traits import differing, is_named, is_truth
from deploy.project.columns.hints import LABEL_WORDS, NUMBER_LABEL_WORDS, TEXT_LABEL_WORDS
from deploy.project.roles.horizon import horizon_us
from shared_features.definitions import Boolean, Decimal, Integer, Text

_RARE = 0.2
_FEW, _REPEATED, _NAMED = 20, 0.1, 5


def _number_ahead(columns: Iterable[Column], truths: Sequence[Column]) -> Column | None:
    """A number that is known later, by its name."""
    numbers = [each for each in columns if isinstance(each.type, Decimal | Integer) and each not in truths]
    called = [each for each in numbers if each.words and each.words[-1] in NUMBER_LABEL_WORDS]
    return next(iter([*called, *(each for each in numbers if horizon_us(each.name) is not None)]), None)


def _text_outcome(columns: Iterable[Column]) -> Column | None:
    """A text that is one of a few, and whose name says that it is an outcome."""
    return next((each for each in columns if is_one_of_few(each) and {*each.words[-1:]} & TEXT_LABEL_WORDS), None)


def is_one_of_few(column: Column) -> bool:
    return isinstance(column.type, Text) and 2 <= len(column.counts) <= _FEW and differing(column) <= _REPEATED


def no_label_note(columns: Iterable[Column]) -> str:
    """What to do where no column looks like a label. No full stop at its end."""
    likely, numbers = _could_be(columns)
    could = [*likely, *numbers][:_NAMED]
    named = f" That could be {', '.join(could)}." if could else ""
    return (
        "No column looks like a label: true or false, 0 and 1, or a number whose name is target or looks ahead, as in "
        "load_in_30min. Without a label nothing is trained. If a column is the outcome, run this again with `--label "
        f"COLUMN`.{named} If the outcomes come from elsewhere, add an event source with them, and `labels` to the "
        "view: docs/definitions.md, section 4"
    )


def _could_be(columns: Iterable[Column]) -> tuple[list[str], list[str]]:
    """Columns that may be outcomes: truths and texts of a few kinds, and then other numbers."""
    likely, numbers = [], []
    for each in columns:
        if is_truth(each) or is_one_of_few(each):
            likely.append(f"{each.name} ({len(each.counts):,} different)")
        elif isinstance(each.type, Decimal | Integer) and len(each.counts) > 1:
            numbers.append(f"{each.name} (a number)")
    return likely, numbers


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
    elif text := _text_outcome(columns):
        why["label"] = f"it is one of {len(text.counts):,} texts, and its name says that it is an outcome"
        return text
    elif len(truths) == 1 and rare:
        best = rare[0]
        why["label"] = "the only column of truths, and few are true; its name does not say so"
    else:
        return None
    true = best.counts[1] / best.counts.total()
    why["label"] += f"; {true:.1%} are true"
    return best.becomes(Boolean(), best.why) if isinstance(best.type, Integer | Decimal) else best
