"""In which rows and columns two tables of one dataset differ, in a few words."""

from __future__ import annotations

import polars as pl

from shared_features.counted import counted
from shared_features.formats.offline_tables import POSITION

_SHOWN = 5


def tell_differences(was: pl.DataFrame, now: pl.DataFrame) -> str:
    """was: the table that was exported. now: as it is built today."""
    if was.schema != now.schema:
        lost = [name for name in was.columns if name not in now.columns]
        new = [name for name in now.columns if name not in was.columns]
        other = [name for name in was.columns if name in now.columns and was.schema[name] != now.schema[name]]
        columns = [("lacks the columns", lost), ("has the new columns", new), ("has other types in", other)]
        found = "; ".join(f"it {verb} {', '.join(names)}" for verb, names in columns if names)
        return found or "its columns have another order"
    said = []
    if set(POSITION) <= set(was.columns):
        lost_rows = was.join(now, on=POSITION, how="anti")
        new_rows = now.join(was, on=POSITION, how="anti")
        said = [f"it lacks {counted(len(lost_rows), 'row')}"] if len(lost_rows) else []
        said += [f"it has {counted(len(new_rows), 'row')} more"] if len(new_rows) else []
        was = was.join(now, on=POSITION, how="semi", maintain_order="left")
        now = now.join(was, on=POSITION, how="semi", maintain_order="left")
    elif len(was) != len(now):
        return f"it has {counted(len(now), 'row')}, and had {len(was):,}"
    cells = {name: int((~was[name].eq_missing(now[name])).sum()) for name in was.columns}
    other = [f"{name} in {counted(count, 'row')}" for name, count in cells.items() if count]
    more = [f"{len(other) - _SHOWN} more columns"] if len(other) > _SHOWN else []
    return "; ".join([*said, *([f"it differs in {', '.join([*other[:_SHOWN], *more])}"] if other else [])])
