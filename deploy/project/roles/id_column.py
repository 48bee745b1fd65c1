"""Which column names each event, and why it was taken."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.project.columns.column import Column
from deploy.project.columns.column_traits import NEARLY, differing, is_id, is_like_an_id, is_mostly_there
from shared_features.definitions import Integer, Text


def guess_id(columns: Sequence[Column], source: str, why: dict[str, str]) -> Column | None:
    """None where no column differs in nearly every row."""
    rows = max((len(each.values) for each in columns), default=0)
    known = [each for each in columns if isinstance(each.type, Integer | Text) and is_mostly_there(each)]
    found = [each for each in known if differing(each) >= NEARLY and (is_id(each, source) or is_like_an_id(each))]
    if not found:
        return None
    if rows < 2:
        why["id"] = "it has the name of an id, and one row says no more"
        return found[0]
    about = {source, source.removesuffix("s")}
    best = max(found, key=lambda each: (is_id(each, source), bool(about & set(each.words)), differing(each)))
    repeat = best.counts.total() - len(best.counts)
    why["id"] = f"{repeat:,} of its {best.counts.total():,} values repeat an earlier one" if repeat else (
        f"its {best.counts.total():,} values all differ"
    )  # fmt: skip
    return best


def name_together(key: Column, time: Column) -> bool:
    """Whether no two rows have both values in common."""
    pairs = [each for each in zip(key.values, time.values, strict=True) if None not in each]
    return len(set(pairs)) == len(pairs) > 0
