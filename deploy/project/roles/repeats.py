"""Ids that come again: what rows with the id of an earlier row mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deploy.project.columns.column import Column
from shared_features.counted import counted


def repeats_note(id_: Column, fields: Sequence[Column]) -> str | None:
    """What to know where an id comes again with other content; None where no id does. No full stop at its end.

    fields: all that the event holds. A row that is alike in all of them counts once.
    """
    known: dict[Any, set[tuple[Any, ...]]] = {}
    for value, *content in zip(id_.values, *(each.values for each in fields), strict=True):
        if value is not None:
            known.setdefault(value, set()).add(tuple(content))
    again = sum(len(each) - 1 for each in known.values())
    if not again:
        return None
    rows = counted(again, "row has", "rows have")
    return (
        f"{rows} the {id_.name} of an earlier row and other values. Each counts as an "
        "event of its own: sums and counts take both, and the view has a training row for each. If they are "
        "corrections, send them to a source of their own: docs/how-to/correct-events.md"
    )
