"""Which column names the entity, and why it was taken."""

from __future__ import annotations

from collections.abc import Iterable

from deploy.project.columns.column import Column
from deploy.project.columns.column_traits import differing, is_named
from deploy.project.columns.hints import ID_WORDS, KEY_WORDS
from shared_features.counted import counted
from shared_features.definitions import Integer, Text

_NAMED = 5


def guess_key(columns: Iterable[Column], why: dict[str, str]) -> Column | None:
    found = [each for each in columns if names_an_entity(each)]
    if not found:
        return None
    best = max(
        found,
        key=lambda each: (
            is_named(each, KEY_WORDS) or is_named(each, ID_WORDS),
            is_named(each, KEY_WORDS),
            is_named(each, ID_WORDS),
            len(each.counts),
        ),
    )
    count, different = best.counts.total(), len(best.counts)
    others = [each.name for each in found if each is not best]
    others += [f"{len(others) - _NAMED:,} more"] if len(others) > _NAMED else []
    also = f". {', '.join([*others[:_NAMED], *others[_NAMED:][-1:]])} would do, too: --key" if others else ""
    why["key"] = (
        f"{1 - different / count:.0%} of its {count:,} values repeat, so it names an entity "
        f"({different:,} different ones){also}"
    )
    return best


def names_an_entity(column: Column, *, missing: bool = False) -> bool:
    """missing: of the columns that some rows lack; without it, of the others. Those need a name that says it."""
    hinted = is_named(column, KEY_WORDS) or is_named(column, ID_WORDS)
    fits = isinstance(column.type, Text) or (isinstance(column.type, Integer) and hinted)
    if missing and not hinted:
        return False
    if column.advice and not hinted:  # numbers or times that are written otherwise
        return False
    return bool(fits and column.is_required is not missing and len(column.counts) >= 2 and differing(column) <= 0.8)


def missing_key_note(column: Column) -> str:
    text = isinstance(column.type, Text)
    stand_in = '"unknown"' if text else "0"
    return (
        f"{column.name} may name an entity too. {counted(column.missing, 'row lacks', 'rows lack')} it, and a key is "
        f"never missing, so no group is about it. To count by it: write {stand_in} where it is missing, in the file "
        f'and in requests; make the field required; then add Entity("{column.field}", keys=("{column.field}",)) and a '
        f'FeatureGroup with where=(Condition("{column.field}", "!=", {stand_in}),)'
    )
